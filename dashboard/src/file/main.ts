// The page of one chart: its title, switches with counts, the candles, and a slider through what was known when.

import { byId, el, setText } from "../dom";
import { count, decimalsOf, fullMoment, percent, priceNumber, title } from "../format";
import { onThemeChange, palette } from "../theme";
import type { ChartDocument } from "./document";
import { dateText, spanText } from "./moments";
import { Scene } from "./scene";
import { Tooltip } from "./tooltip";
import { FileChart, type Pointed } from "./view";

declare global {
  interface Window {
    /** Kept once everything is drawn; a photographer waits for it. */
    chartReady: Promise<boolean>;
  }
}

const scene = new Scene(JSON.parse(byId("document").textContent) as ChartDocument);
const { document: data } = scene;
const last = scene.bars.time.length - 1;

/** The stylesheet follows the reader's system unless the chart was made for one theme. */
function applyTheme(): void {
  const { theme } = data.look;
  if (theme === "auto") return;
  document.documentElement.style.colorScheme = theme;
  for (const sheet of document.styleSheets) {
    for (const rule of sheet.cssRules) {
      if (rule instanceof CSSMediaRule && rule.media.mediaText.includes("prefers-color-scheme")) {
        rule.media.mediaText = theme === "light" ? "all" : "not all";
      }
    }
  }
}

applyTheme();
document.documentElement.classList.toggle("still", data.look.still);

const chips = new Map(data.concepts.map((kind) => [kind, chip(kind)]));
const reading = el("div", "reading");
const tip = new Tooltip(scene);
const canvas = el("div", { class: "canvas", attrs: { role: "img", "aria-label": "Price chart" } });
const slider = el("input", { class: "slider", attrs: { type: "range", min: "0", max: String(last), "aria-label": "As known at" } });
const known = el("output", "known");
build();
const chart = new FileChart(canvas, scene, palette(), point);
let at = Math.max(0, scene.lastClosed(data.as_of));

function build(): void {
  const synthetic = data.look.label === "SYNTHETIC";
  const badge = el("span", { class: synthetic ? "badge made" : "badge", title: data.look.file }, synthetic ? "SYNTHETIC" : "RECORDED");
  document.title = `${data.symbol} ${data.timeframe}, ${spanText(scene)}`;
  byId("head").append(
    el("div", "title", el("h1", "", data.symbol), el("span", "timeframe", data.timeframe), badge, el("span", "span", `${spanText(scene)} UTC`), reading),
    el("div", { class: "chips", attrs: { role: "group", "aria-label": "Concepts" } }, ...[...chips.values()].map(({ button }) => button)),
  );
  byId("chart").append(canvas, tip.element);
  const beside = data.beside ? ` with ${data.beside.file}` : "";
  const warm = data.warmup > 0 ? `read from ${dateText(data.first)} on, ${count(data.warmup)} bars before the first one here` : "read from the first bar here on";
  byId("foot").append(
    el("div", "scrub", known, slider),
    el("div", "small", el("span", "", legendLine()), el("span", "", `${data.look.file}${beside}: ${warm}`), attribution()),
  );
}

function legendLine(): HTMLElement {
  const pair = data.beside ? "  · SMT: solid on the instrument that made the new extreme, broken on the one that failed" : "";
  return el("span", "", el("i", "swatch hatch"), "before it was known  ", el("i", "swatch solid"), "known and unused  ", el("i", "swatch used"), "used  ", "· beside each name: when it became known (UTC)", pair);
}

function attribution(): HTMLElement {
  const link = el("a", { attrs: { href: "https://www.tradingview.com/", rel: "noopener noreferrer", target: "_blank" } }, "TradingView");
  return el("span", "", `smc-agent ${data.version} · charts: Lightweight Charts™ © `, link);
}

function chip(kind: string): { button: HTMLElement; number: HTMLElement } {
  const number = el("span", "number", "0");
  const button = el("button", { class: "chip", attrs: { type: "button", "aria-pressed": "true", "data-kind": kind } }, title(kind), number);
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    scene.setVisible(kind, on);
    chart.refresh();
  });
  return { button, number };
}

/** Shows what was known when bar `index` closed. */
function show(index: number): void {
  at = Math.min(Math.max(index, 0), last);
  const moment = scene.closeOf(at);
  chart.show(at);
  const counts = scene.countsBy(moment);
  for (const [kind, { number }] of chips) setText(number, count(counts.get(kind) ?? 0));
  slider.setAttribute("aria-valuetext", fullMoment(moment));
  (slider as HTMLInputElement).value = String(at);
  setText(known, at === last ? `All of it: as known ${fullMoment(moment)}` : `As known ${fullMoment(moment)}`);
  point(null);
}

function point(pointed: Pointed | null): void {
  tip.show(pointed);
  const index = Math.min(Math.max(pointed?.index ?? at, 0), last);
  const decimals = decimalsOf(data.tick_size);
  const { open, high, low, close } = scene.bars;
  const values = [open, high, low, close].map((column) => column[index] ?? 0);
  const [o = 0, , , c = 0] = values;
  const parts = ["O", "H", "L", "C"].map((name, column) => el("span", "pair", el("abbr", "", name), priceNumber(values[column] ?? 0, decimals)));
  reading.replaceChildren(...parts, el("span", c < o ? "down" : "up", percent(o === 0 ? 0 : c / o - 1, 2, true)));
}

slider.addEventListener("input", () => show(Number((slider as HTMLInputElement).value)));
document.addEventListener("keydown", (event) => {
  const steps: Record<string, () => void> = {
    ArrowLeft: () => show(at - (event.shiftKey ? 10 : 1)),
    ArrowRight: () => show(at + (event.shiftKey ? 10 : 1)),
    Home: () => show(0),
    End: () => show(last),
    "+": () => chart.zoom(0.8),
    "=": () => chart.zoom(0.8),
    "-": () => chart.zoom(1.25),
    "0": () => chart.fit(),
  };
  const step = steps[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  step();
});
if (data.look.theme === "auto") onThemeChange(() => chart.setTheme(palette()));

const frames = (number: number): Promise<void> =>
  number === 0 ? Promise.resolve() : new Promise<void>((done) => requestAnimationFrame(() => done())).then(() => frames(number - 1));

show(at);
window.chartReady = document.fonts.ready
  .then(() => frames(2)) // the chart takes the size of its frame
  .then(() => chart.fit())
  .then(() => frames(2))
  .then(() => true);
void window.chartReady.then(() => (document.documentElement.dataset["ready"] = "true"));
