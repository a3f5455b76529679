// The chart's panel: head, legend, layer switches, keys; the drawing itself is in ../chart.

import type { Drawn } from "../chart/drawn";
import { type LayerName, type Pointed, PriceChart } from "../chart/price";
import { byId, el, panelHead, renderOnce, setText } from "../dom";
import { count, decimalsOf, fullMoment, momentOfSeconds, percent, priceNumber, title } from "../format";
import type { Change, Model } from "../model";
import type { Palette } from "../theme";
import type { DecisionOut } from "../wire";

const LAYERS: [LayerName, string, string][] = [
  ["order_block", "Blocks", "Order blocks: the last opposite candle before a break"],
  ["fair_value_gap", "Gaps", "Fair value gaps: three candles whose outer wicks don't overlap"],
  ["liquidity_pool", "Liquidity", "Resting liquidity: BSL above highs, SSL below lows"],
  ["structure", "Structure", "Breaks of structure (BOS), changes of character (CHoCH), sweeps (×)"],
  ["trades", "Trades", "Fills of paper orders"],
];

export class ChartPanel {
  private readonly chart: PriceChart;
  private readonly legend = el("div", "legend");
  private readonly zoneLegend = el("div", "legend zone-legend");
  private readonly canvas: HTMLElement;
  private readonly empty = el("p", "empty over", "No bar has closed yet. The chart fills as the market is read.");
  private readonly latest = el("button", { class: "button latest", attrs: { type: "button" } }, "Latest ⇥");
  private pointed: Pointed | null = null;
  private remark = "";

  constructor(
    private readonly model: Model,
    colours: Palette,
  ) {
    const description = "Price chart. Arrow keys move, plus and minus zoom, End shows the latest bar.";
    this.canvas = el("div", { class: "canvas", attrs: { tabindex: "0", role: "group", "aria-label": description } });
    const switches = LAYERS.map(([name, text, hint]) => this.layerSwitch(name, text, hint));
    byId("chart").append(
      panelHead("Price", "chart-title", el("div", { class: "toggles", attrs: { role: "group", "aria-label": "Layers" } }, ...switches)),
      el("div", "canvas-frame", this.legend, this.zoneLegend, this.canvas, this.empty, this.latest),
    );
    this.latest.hidden = true;
    this.chart = new PriceChart(
      this.canvas,
      model,
      colours,
      (pointed) => this.point(pointed),
      (atLatest) => (this.latest.hidden = atLatest),
    );
    this.latest.addEventListener("click", () => this.chart.scrollToLatest());
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  update(change: Change): void {
    this.chart.update(change);
    this.empty.hidden = this.model.bars.time.length > 0;
    this.describe();
  }

  show(decision: DecisionOut | null): void {
    const drawn = this.chart.show(decision);
    this.remark = drawn ? "" : "That decision is older than the bars on this chart.";
    this.describe();
  }

  setTheme(colours: Palette): void {
    this.chart.setTheme(colours);
  }

  private layerSwitch(name: LayerName, text: string, hint: string): HTMLElement {
    const attrs = { type: "button", "aria-pressed": "true" };
    const button = el("button", { class: "toggle", title: hint, attrs }, el("span", `swatch ${name}`), text);
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      button.setAttribute("aria-pressed", String(on));
      this.chart.setVisible(name, on);
    });
    return button;
  }

  private key(event: KeyboardEvent): void {
    const actions: Record<string, () => void> = {
      ArrowLeft: () => this.chart.pan(-0.1),
      ArrowRight: () => this.chart.pan(0.1),
      PageUp: () => this.chart.pan(-0.8),
      PageDown: () => this.chart.pan(0.8),
      End: () => this.chart.scrollToLatest(),
      "+": () => this.chart.zoom(0.8),
      "=": () => this.chart.zoom(0.8),
      "-": () => this.chart.zoom(1.25),
    };
    const action = actions[event.key];
    if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  }

  private point(pointed: Pointed | null): void {
    this.pointed = pointed;
    this.describe();
  }

  /** Open, high, low, close of the bar under the crosshair, or of the newest; and the zone under it. */
  private describe(): void {
    const { bars, market } = this.model;
    const newest = bars.time.length - 1;
    const index = Math.min(Math.max(this.pointed?.index ?? newest, 0), newest);
    const time = bars.time[index];
    if (time === undefined || !market) return;
    const decimals = decimalsOf(market.tick_size);
    const [open = 0, high = 0, low = 0, close = 0] = [bars.open[index], bars.high[index], bars.low[index], bars.close[index]];
    const change = open === 0 ? 0 : close / open - 1;
    renderOnce(this.legend, `${time} ${close} ${high} ${low}`, () => [
      el("span", "legend-time", fullMoment(time)),
      ...([["O", open], ["H", high], ["L", low], ["C", close]] as const).map(([name, value]) =>
        el("span", name === "C" ? "legend-pair close" : "legend-pair", el("abbr", "", name), priceNumber(value, decimals)),
      ),
      el("span", change < 0 ? "down" : "up", percent(change, 2, true)),
      el("span", "legend-pair", el("abbr", "", "Vol"), (bars.volume[index] ?? 0).toLocaleString("en-US", { maximumFractionDigits: 1 })),
    ]);
    const zone = this.pointed?.zone;
    setText(this.zoneLegend, zone ? zoneText(zone, decimals) : this.remark);
    const last = bars.close[newest] ?? 0;
    this.canvas.setAttribute("aria-description", `Last close ${priceNumber(last, decimals)}, ${count(newest + 1)} bars, ${this.model.zones.length} live zones`);
  }
}

/** "Order block 1h, bullish, fresh, 16,541.77 to 16,580.10, formed 12 Mar, 14:15". */
function zoneText(zone: Drawn, decimals: number): string {
  const direction = zone.direction > 0 ? "bullish" : "bearish";
  const [low, high] = [priceNumber(zone.low, decimals), priceNumber(zone.high, decimals)];
  const range = low === high ? `at ${low}` : `${low} to ${high}`;
  const touches = zone.touches > 0 ? `, touched ${zone.touches} times` : "";
  const side = zone.kind === "liquidity_pool" ? (zone.side > 0 ? "buy-side" : "sell-side") : direction;
  const state = zone.state.replaceAll("_", " ");
  return `${title(zone.kind)} ${zone.timeframe}, ${side}, ${state}${touches}, ${range}, formed ${momentOfSeconds(zone.formed_at)}`;
}
