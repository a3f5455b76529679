// The price chart: candles with everything drawn on them, its legend, its layers and its keys.

import {
  CandlestickSeries,
  createChart,
  createSeriesMarkers,
  CrosshairMode,
  type IChartApi,
  type IPriceLine,
  type ISeriesApi,
  type ISeriesMarkersPluginApi,
  LineStyle,
  type MouseEventParams,
  type SeriesMarker,
  type Time,
  type UTCTimestamp,
} from "lightweight-charts";

import { decimalsOf } from "../format";
import type { Change, Model } from "../model";
import { alpha, type Palette } from "../theme";
import type { DecisionOut } from "../wire";
import { BracketLayer } from "./bracket";
import { candle, candleColours, priceFormat } from "./candles";
import { type Drawn, drawnStructure, drawnZone } from "./drawn";
import { LabelLayer } from "./labels";
import type { Layer } from "./layer";
import { shortName } from "./names";
import { chartOptions } from "./options";
import { StructureLayer } from "./structure";
import { ZonesLayer } from "./zones";

const MAX_MARKERS = 300;
const FIRST_VIEW_BARS = 130;
const SPACE_RIGHT = 8; // bars, for the names of the zones
const ONE_BY_ONE = 30; // more new bars than this are set at once

export type ZoneKind = "order_block" | "fair_value_gap" | "liquidity_pool";
export type LayerName = ZoneKind | "structure" | "trades";

/** What the crosshair points at: a bar by its index, and a zone if it lies on one. */
export interface Pointed {
  index: number;
  zone: Drawn | undefined;
}

export class PriceChart {
  private readonly chart: IChartApi;
  private readonly candles: ISeriesApi<"Candlestick">;
  private readonly labels: LabelLayer;
  private readonly zones: ZonesLayer;
  private readonly structure: StructureLayer;
  private readonly bracket: BracketLayer;
  private readonly layers: Layer[];
  private readonly hidden = new Set<string>();
  private readonly markers: ISeriesMarkersPluginApi<Time>;
  private readonly orderLines = new Map<string, IPriceLine>();
  private tradesVisible = true;
  private tick = "";

  constructor(
    container: HTMLElement,
    private readonly model: Model,
    private colours: Palette,
    private readonly onPoint: (pointed: Pointed | null) => void,
    onScroll: (atLatest: boolean) => void,
  ) {
    this.chart = createChart(container, chartOptions(colours));
    this.chart.applyOptions({
      crosshair: { mode: CrosshairMode.Normal },
      timeScale: { rightOffset: SPACE_RIGHT, barSpacing: 7, minBarSpacing: 1, timeVisible: true, secondsVisible: false },
    });
    this.candles = this.chart.addSeries(CandlestickSeries, candleColours(colours));
    this.labels = new LabelLayer(model, colours);
    const naming = { known: () => "", end: (zone: Drawn) => `${shortName(zone)} ${zone.timeframe}` };
    this.zones = new ZonesLayer(model, colours, this.labels, naming);
    this.structure = new StructureLayer(model, colours, this.labels, () => "");
    this.bracket = new BracketLayer(model, colours);
    this.layers = [this.labels, this.zones, this.structure, this.bracket];
    for (const layer of this.layers) this.candles.attachPrimitive(layer);
    this.markers = createSeriesMarkers(this.candles, []);
    this.chart.subscribeCrosshairMove((event) => this.pointed(event));
    const scale = this.chart.timeScale();
    scale.subscribeVisibleLogicalRangeChange(() => onScroll(scale.scrollPosition() > -2));
  }

  update(change: Change): void {
    const count = this.model.bars.time.length;
    if (change.reset || change.trimmed || change.newBars > ONE_BY_ONE) this.setAll(change.reset);
    else for (let index = count - change.newBars; index < count; index++) this.candles.update(candle(this.model.bars, index));
    if (change.zones) this.drawZones();
    if (change.structure) this.drawStructure();
    if (change.fills || change.reset || change.trimmed) this.drawFills();
    if (change.orders || change.reset) this.drawOrders();
  }

  setTheme(colours: Palette): void {
    this.colours = colours;
    this.chart.applyOptions(chartOptions(colours));
    this.candles.applyOptions(candleColours(colours));
    for (const layer of this.layers) layer.setColours(colours);
    this.drawFills();
    for (const line of this.orderLines.values()) this.candles.removePriceLine(line);
    this.orderLines.clear();
    this.drawOrders();
  }

  setVisible(layer: LayerName, visible: boolean): void {
    if (layer === "structure") this.structure.setVisible(visible);
    else if (layer !== "trades") {
      if (visible) this.hidden.delete(layer);
      else this.hidden.add(layer);
      this.drawZones();
    } else {
      this.tradesVisible = visible;
      this.drawFills();
    }
  }

  /** Draws a decision and brings it into view; null takes it away. False when it is older than all bars here. */
  show(decision: DecisionOut | null): boolean {
    const known = decision !== null && this.model.barOfMoment(Date.parse(decision.time) / 1000) >= 0;
    for (const layer of [this.labels, this.zones, this.structure]) layer.setDimmed(known);
    if (!known) {
      this.bracket.show(null);
      return decision === null;
    }
    const trade = this.model.trades.find((other) => other.decision_id === decision.id);
    const until = Date.parse(trade?.exit_time ?? decision.entry_expires_at) / 1000;
    this.bracket.show({ decision, until });
    const index = this.bracket.index;
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (index === null || !range || (index > range.from + 5 && index < range.to - 15)) return true;
    const span = range.to - range.from;
    this.chart.timeScale().setVisibleLogicalRange({ from: index - span * 0.6, to: index + span * 0.4 });
    return true;
  }

  scrollToLatest(): void {
    this.chart.timeScale().scrollToRealTime();
  }

  /** Moves the view by a share of its width, or zooms by a factor around its right end. */
  pan(share: number): void {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (!range) return;
    const step = (range.to - range.from) * share;
    this.chart.timeScale().setVisibleLogicalRange({ from: range.from + step, to: range.to + step });
  }

  zoom(factor: number): void {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (!range) return;
    const span = Math.max(12, (range.to - range.from) * factor);
    this.chart.timeScale().setVisibleLogicalRange({ from: range.to - span, to: range.to });
  }

  private setAll(reset: boolean): void {
    const market = this.model.market;
    if (market && market.tick_size !== this.tick) {
      this.tick = market.tick_size;
      this.candles.applyOptions(priceFormat(this.tick, decimalsOf(this.tick)));
    }
    const count = this.model.bars.time.length;
    this.candles.setData(Array.from({ length: count }, (_, index) => candle(this.model.bars, index)));
    if (!reset || count === 0) return;
    const shown = Math.min(FIRST_VIEW_BARS, Math.max(40, Math.floor(this.chart.timeScale().width() / 7)));
    this.chart.timeScale().setVisibleLogicalRange({ from: count - shown, to: count - 1 + SPACE_RIGHT });
  }

  /** The agent sends only zones near the price. */
  private drawZones(): void {
    this.zones.set(this.model.zones.filter((zone) => !this.hidden.has(zone.kind)).map(drawnZone));
  }

  private drawStructure(): void {
    const timeframe = this.model.market?.timeframe;
    this.structure.set(this.model.structure.filter((event) => event.timeframe === timeframe).map(drawnStructure));
  }

  private drawFills(): void {
    if (!this.tradesVisible) {
      this.markers.setMarkers([]);
      return;
    }
    const times = this.model.bars.time;
    const markers: SeriesMarker<Time>[] = [];
    for (const fill of this.model.fills.slice(-MAX_MARKERS)) {
      const time = times[this.model.barOfMoment(fill.time)];
      if (time === undefined) continue;
      const entry = fill.purpose === "entry";
      const buy = fill.side > 0;
      markers.push({
        time: time as UTCTimestamp,
        position: buy ? "belowBar" : "aboveBar",
        shape: entry ? (buy ? "arrowUp" : "arrowDown") : "circle",
        color: this.purposeColour(fill.purpose),
        size: entry ? 1.1 : 0.7,
      });
    }
    this.markers.setMarkers(markers.sort((a, b) => Number(a.time) - Number(b.time)));
  }

  /** Working orders as lines with their price on the axis. */
  private drawOrders(): void {
    const working = new Map(
      this.model.orders.filter((order) => order.working && order.price !== null).map((order) => [order.client_order_id, order]),
    );
    for (const [id, line] of this.orderLines) {
      if (working.has(id)) continue;
      this.candles.removePriceLine(line);
      this.orderLines.delete(id);
    }
    for (const [id, order] of working) {
      if (this.orderLines.has(id)) continue;
      const colour = this.purposeColour(order.purpose);
      const options = { price: Number(order.price), color: alpha(colour, 0.9), axisLabelColor: colour, title: order.purpose };
      const style = { lineStyle: LineStyle.LargeDashed, lineWidth: 1, axisLabelVisible: true } as const;
      this.orderLines.set(id, this.candles.createPriceLine({ ...options, ...style }));
    }
  }

  private purposeColour(purpose: string): string {
    const colours: Record<string, string> = { stop: this.colours.down, target: this.colours.up, exit: this.colours.neutral };
    return colours[purpose] ?? this.colours.accent;
  }

  private pointed(event: MouseEventParams): void {
    const inside = event.point !== undefined && event.logical !== undefined;
    this.onPoint(inside ? { index: Number(event.logical), zone: this.zones.find(event.hoveredObjectId) } : null);
  }
}
