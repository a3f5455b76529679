// Every setup that was judged, newest first, taken or refused; a click opens why.

import { byId, el, panelHead, setText } from "../dom";
import { count, moment, percent, signed, title, tone } from "../format";
import type { Change, Model } from "../model";
import type { DecisionOut, TradeOut } from "../wire";
import { why } from "./why";

type Filter = "all" | "taken" | "refused";

const FILTERS: [Filter, string][] = [
  ["all", "All"],
  ["taken", "Taken"],
  ["refused", "Refused"],
];
const MAX_ROWS = 120;

interface Row {
  node: HTMLElement;
  button: HTMLButtonElement;
  outcome: HTMLElement;
  result: HTMLElement;
  body: HTMLElement;
  decision: DecisionOut;
}

export class Decisions {
  private readonly list = el("ol", "decision-list");
  private readonly empty = el(
    "p",
    "empty",
    "No setup has formed yet. One needs a sweep and a change of character, or a break of structure, and then a return into its zone.",
  );
  private readonly rows = new Map<number, Row>();
  private filter: Filter = "all";
  private opened: number | null = null;

  constructor(
    private readonly model: Model,
    private readonly onShow: (decision: DecisionOut | null) => void,
  ) {
    const buttons = FILTERS.map(([filter, text]) => this.filterButton(filter, text));
    const filters = el("div", { class: "toggles", attrs: { role: "group", "aria-label": "Which decisions" } }, ...buttons);
    byId("decisions").append(panelHead("Decisions", "decisions-title", filters), this.empty, this.list);
    this.list.addEventListener("keydown", (event) => this.key(event));
  }

  update(change: Change): void {
    if (change.reset) this.clear();
    if (change.decisions || change.reset) this.sync();
    if (change.trades || change.orders || change.reset) this.rows.forEach((row) => this.refresh(row));
  }

  /** Opens a decision by its id, if it is still in the list. */
  open(id: string): void {
    this.setFilter("all");
    const row = [...this.rows.values()].find((other) => other.decision.id === id && other.decision.taken);
    if (!row) return;
    if (this.opened !== row.decision.number) this.toggle(row);
    row.node.scrollIntoView({ block: "nearest" });
    row.button.focus();
  }

  private clear(): void {
    const known = new Set(this.model.decisions.map((decision) => decision.number));
    for (const [number, row] of this.rows) {
      if (known.has(number)) continue;
      row.node.remove();
      this.rows.delete(number);
    }
    if (this.opened !== null && !known.has(this.opened)) this.opened = null;
  }

  /** Brings the list in line with the newest decisions that the filter lets through. */
  private sync(): void {
    const wanted = this.model.decisions
      .filter((decision) => this.filter === "all" || decision.taken === (this.filter === "taken"))
      .slice(-MAX_ROWS)
      .reverse();
    const numbers = new Set(wanted.map((decision) => decision.number));
    for (const [number, row] of this.rows) {
      if (numbers.has(number) || number === this.opened) continue;
      row.node.remove();
      this.rows.delete(number);
    }
    let before: ChildNode | null = this.list.firstChild;
    for (const decision of wanted) {
      let row = this.rows.get(decision.number);
      if (row && row.node === before) {
        before = before.nextSibling;
        continue;
      }
      row ??= this.create(decision);
      this.list.insertBefore(row.node, before);
    }
    this.empty.hidden = this.list.childElementCount > 0;
    if (!this.empty.hidden && this.model.decisions.length > 0) setText(this.empty, `No decision was ${this.filter} lately.`);
  }

  private create(decision: DecisionOut): Row {
    const bodyId = `why-${decision.number}`;
    const outcome = el("span", decision.taken ? "outcome taken" : "outcome refused", decision.taken ? "Taken" : refusal(decision));
    const result = el("span", "result num");
    const button = el(
      "button",
      { class: "decision-button", attrs: { type: "button", "aria-expanded": "false", "aria-controls": bodyId } },
      el("span", `side ${decision.side}`, decision.side === "buy" ? "▲ Buy" : "▼ Sell"),
      el("span", "kind", title(decision.kind)),
      el("span", "when num", moment(decision.time)),
      outcome,
      el("span", "edge num", edge(decision)),
      result,
    );
    const body = el("div", { class: "why", id: bodyId });
    body.hidden = true;
    const row = { node: el("li", "decision", button, body), button, outcome, result, body, decision };
    button.addEventListener("click", () => this.toggle(row));
    this.rows.set(decision.number, row);
    this.refresh(row);
    return row;
  }

  private refresh(row: Row): void {
    const { decision } = row;
    const trade = this.tradeOf(decision);
    setText(row.result, trade ? signed(trade.net_pnl) : "");
    row.result.className = `result num ${trade ? tone(trade.net_pnl) : ""}`;
    if (decision.taken) setText(row.outcome, trade ? `Closed by ${trade.closed_by}` : this.progress(decision));
    if (this.opened === decision.number) this.fill(row);
  }

  private tradeOf(decision: DecisionOut): TradeOut | undefined {
    return decision.taken ? this.model.trades.findLast((trade) => trade.decision_id === decision.id) : undefined;
  }

  /** How far a taken decision has come, from its entry order. */
  private progress(decision: DecisionOut): string {
    const entry = this.model.orders.find((order) => order.decision_id === decision.id && order.purpose === "entry");
    if (!entry) return "Taken";
    if (entry.state === "filled") return "Position open";
    return entry.working ? "Entry working" : `Entry ${entry.state}`;
  }

  private toggle(row: Row): void {
    const opening = this.opened !== row.decision.number;
    const previous = this.opened === null ? undefined : this.rows.get(this.opened);
    if (previous) {
      previous.body.hidden = true;
      previous.button.setAttribute("aria-expanded", "false");
    }
    this.opened = opening ? row.decision.number : null;
    row.body.hidden = !opening;
    row.button.setAttribute("aria-expanded", String(opening));
    if (opening) this.fill(row);
    this.onShow(opening ? row.decision : null);
  }

  private fill(row: Row): void {
    const { decision } = row;
    const orders = decision.taken ? this.model.orders.filter((order) => order.decision_id === decision.id) : [];
    const trade = this.tradeOf(decision);
    const version = `${orders.map((order) => order.state + order.filled).join()} ${trade?.net_pnl ?? ""}`;
    if (row.body.dataset["version"] === version) return;
    row.body.dataset["version"] = version;
    row.body.replaceChildren(...why(decision, orders, trade));
  }

  private filterButton(filter: Filter, text: string): HTMLElement {
    const attrs = { type: "button", "aria-pressed": String(filter === this.filter), "data-filter": filter };
    const button = el("button", { class: "toggle", attrs }, text);
    button.addEventListener("click", () => this.setFilter(filter));
    return button;
  }

  private setFilter(filter: Filter): void {
    this.filter = filter;
    for (const button of byId("decisions").querySelectorAll<HTMLElement>("[data-filter]")) {
      button.setAttribute("aria-pressed", String(button.dataset["filter"] === filter));
    }
    this.sync();
  }

  private key(event: KeyboardEvent): void {
    if (event.key === "Escape" && this.opened !== null) {
      const row = this.rows.get(this.opened);
      if (row) this.toggle(row);
      row?.button.focus();
      return;
    }
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step === undefined || !(event.target instanceof HTMLButtonElement)) return;
    const buttons = [...this.list.querySelectorAll<HTMLButtonElement>(".decision-button")];
    buttons[buttons.indexOf(event.target) + step]?.focus();
    event.preventDefault();
  }
}

/** The first reason, and how many more there are. */
function refusal(decision: DecisionOut): string {
  const [first, ...rest] = decision.reasons;
  return first ? title(first.reason) + (rest.length > 0 ? ` and ${count(rest.length)} more` : "") : "Refused";
}

/** "P 44.1 % / 42.0 %": the probability beside break-even. */
function edge(decision: DecisionOut): string {
  if (decision.probability === null || decision.break_even === null) return "";
  const sign = decision.probability > decision.break_even ? ">" : "≤";
  return `P ${percent(decision.probability)} ${sign} ${percent(decision.break_even)}`;
}
