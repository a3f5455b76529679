// Building and updating elements without a framework, and without a single inline style or handler.

export type Child = Node | string | null | undefined | false;

interface Props {
  class?: string;
  id?: string;
  title?: string;
  attrs?: Record<string, string>;
}

export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  props: Props | string = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  const given = typeof props === "string" ? { class: props } : props;
  if (given.class) node.className = given.class;
  if (given.id) node.id = given.id;
  if (given.title) node.title = given.title;
  for (const [name, value] of Object.entries(given.attrs ?? {})) node.setAttribute(name, value);
  node.append(...children.filter((child): child is Node | string => child !== null && child !== undefined && child !== false));
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

export function svg(tag: string, attrs: Record<string, string | number>, ...children: Node[]): SVGElement {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attrs)) node.setAttribute(name, String(value));
  node.append(...children);
  return node;
}

export function byId(id: string): HTMLElement {
  const node = document.getElementById(id);
  if (!node) throw new Error(`index.html has no element #${id}`);
  return node;
}

/** Sets the text only where it changed, so that nothing flickers and selections survive. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

/** Replaces the children only when `version` differs from the last call's. */
export function renderOnce(node: HTMLElement, version: string, build: () => Child[]): void {
  if (node.dataset["version"] === version) return;
  node.dataset["version"] = version;
  node.replaceChildren(...build().filter((child): child is Node | string => child !== null && child !== undefined && child !== false));
}

/** A panel's head: its title, and what stands at the right of it. */
export function panelHead(title: string, id: string, ...right: Child[]): HTMLElement {
  return el("div", "panel-head", el("h2", { id }, title), right.length > 0 && el("div", "panel-tools", ...right));
}

export function definition(term: string, value: Child, valueClass = ""): HTMLElement {
  return el("div", "pair", el("dt", "", term), el("dd", valueClass, value));
}
