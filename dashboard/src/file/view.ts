// The candles of a chart file with everything that was known at one of its bars.

import {
  CandlestickSeries,
  type ChartOptions,
  createChart,
  CrosshairMode,
  type DeepPartial,
  type IChartApi,
  type ISeriesApi,
  type Logical,
} from "lightweight-charts";

import { BandsLayer, STRIP } from "../chart/bands";
import { candle, candleColours, priceFormat } from "../chart/candles";
import type { Drawn } from "../chart/drawn";
import { LabelLayer } from "../chart/labels";
import type { Layer } from "../chart/layer";
import { MarksLayer } from "../chart/marks";
import { shortName } from "../chart/names";
import { chartOptions } from "../chart/options";
import { RangeLayer } from "../chart/range";
import { StructureLayer } from "../chart/structure";
import { ZonesLayer } from "../chart/zones";
import { decimalsOf } from "../format";
import { alpha, type Palette } from "../theme";
import { BesidePane } from "./beside";
import { DivergenceLayer } from "./divergence";
import { shortMoment } from "./moments";
import { NowLayer } from "./now";
import type { Scene, Seen } from "./scene";

const SPACE_RIGHT = 96; // pixels, for the states of what still acts
const UNKNOWN = 0.22; // how strongly candles are drawn that had not closed yet

/** What the crosshair points at: a bar, a thing if it lies on one, and where on the screen. */
export interface Pointed {
  index: number;
  seen: Seen | undefined;
  x: number;
  y: number;
}

export class FileChart {
  private readonly chart: IChartApi;
  private readonly candles: ISeriesApi<"Candlestick">;
  private readonly labels: LabelLayer;
  private readonly zones: ZonesLayer;
  private readonly structure: StructureLayer;
  private readonly bands: BandsLayer;
  private readonly range: RangeLayer;
  private readonly marks: MarksLayer;
  private readonly now: NowLayer;
  private readonly divergences: DivergenceLayer;
  private readonly beside: BesidePane | null;
  private readonly layers: Layer[];
  private at = -1;

  constructor(
    container: HTMLElement,
    private readonly scene: Scene,
    private colours: Palette,
    onPoint: (pointed: Pointed | null) => void,
  ) {
    this.chart = createChart(container, options(colours));
    this.chart.applyOptions({
      crosshair: { mode: CrosshairMode.Normal },
      rightPriceScale: { scaleMargins: { top: 0.07, bottom: 0.06 + this.strips(container.clientHeight) } },
      timeScale: { minBarSpacing: 0.3, timeVisible: scene.document.bar_seconds < 86_400, secondsVisible: false },
    });
    this.candles = this.chart.addSeries(CandlestickSeries, candleColours(colours));
    this.candles.applyOptions(priceFormat(scene.document.tick_size, decimalsOf(scene.document.tick_size)));
    const told = shortMoment(scene);
    this.labels = new LabelLayer(scene, colours);
    const ends = { known: (thing: Drawn) => told(thing.confirmed_at), end: standing };
    this.zones = new ZonesLayer(scene, colours, this.labels, ends);
    this.structure = new StructureLayer(scene, colours, this.labels, told);
    this.bands = new BandsLayer(scene, colours, this.labels, told);
    this.range = new RangeLayer(scene, colours, this.labels, told);
    this.marks = new MarksLayer(scene, colours, this.labels, told);
    this.now = new NowLayer(scene, colours, this.labels);
    this.divergences = new DivergenceLayer(scene, colours, this.labels, told, 0, "");
    this.layers = [this.labels, this.bands, this.range, this.zones, this.structure, this.marks, this.divergences, this.now];
    for (const layer of this.layers) this.candles.attachPrimitive(layer);
    const { beside } = scene.document;
    this.beside = beside ? new BesidePane(this.chart, scene, beside, colours) : null;
    this.chart.subscribeCrosshairMove((event) => {
      const { point, logical, hoveredObjectId } = event;
      onPoint(point && logical !== undefined ? { index: Number(logical), seen: this.find(hoveredObjectId), ...point } : null);
    });
  }

  /** The share of the height that the names of sessions take at the foot. */
  private strips(height: number): number {
    const spans = this.scene.document.things.filter((thing) => thing.shape === "span");
    const lanes = new Set(spans.map((thing) => `${thing.kind} ${thing.scope}`)).size;
    return height > 0 ? Math.min(0.3, (lanes * STRIP) / height) : 0;
  }

  /** Shows what was known when bar `index` closed. */
  show(index: number): void {
    if (index !== this.at) {
      this.at = index;
      this.setCandles();
    }
    this.refresh();
  }

  /** Draws again what is switched on. */
  refresh(): void {
    const moment = this.scene.closeOf(this.at);
    const seen = this.scene.knownBy(moment);
    const of = (...shapes: string[]): Seen[] => seen.filter((thing) => shapes.includes(thing.shape));
    this.zones.set(of("zone", "level"), moment);
    this.structure.set(of("line", "level"));
    this.bands.set(of("span"));
    this.range.set(of("range"), moment);
    this.marks.set(of("mark"));
    this.divergences.set(of("pair"));
    this.beside?.set(of("pair"));
    this.now.set(this.at === this.scene.bars.time.length - 1 ? null : moment);
  }

  setTheme(colours: Palette): void {
    this.colours = colours;
    this.chart.applyOptions(options(colours));
    this.candles.applyOptions(candleColours(colours));
    this.beside?.setColours(colours);
    this.setCandles();
    for (const layer of this.layers) layer.setColours(colours);
  }

  /** All bars, with room at the right for names. */
  fit(): void {
    const count = this.scene.bars.time.length;
    const width = Math.max(1, this.chart.timeScale().width() - SPACE_RIGHT);
    this.chart.timeScale().setVisibleLogicalRange({ from: -0.5 as Logical, to: (count - 0.5 + (count * SPACE_RIGHT) / width) as Logical });
  }

  zoom(factor: number): void {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (!range) return;
    const [middle, half] = [(range.from + range.to) / 2, Math.max(6, ((range.to - range.from) / 2) * factor)];
    this.chart.timeScale().setVisibleLogicalRange({ from: middle - half, to: middle + half });
  }

  private setCandles(): void {
    const { up, down } = this.colours;
    const { open, close, time } = this.scene.bars;
    const complete = this.at === time.length - 1;
    this.candles.applyOptions({ priceLineVisible: complete, lastValueVisible: complete }); // or they tell the future
    this.candles.setData(
      time.map((_, index) => {
        const drawn = candle(this.scene.bars, index);
        if (index <= this.at) return drawn;
        const color = alpha((close[index] ?? 0) >= (open[index] ?? 0) ? up : down, UNKNOWN);
        return { ...drawn, color, wickColor: color, borderColor: color };
      }),
    );
    this.beside?.show(time[this.at] ?? 0, UNKNOWN);
  }

  private find(key: unknown): Seen | undefined {
    const layers = [this.divergences, this.marks, this.structure, this.zones, this.range, this.bands];
    return layers.map((layer) => layer.find(key)).find((found) => found !== undefined) as Seen | undefined;
  }
}

/** What stands beside a thing that still acts: that a level rests needs no saying. */
function standing(thing: Drawn): string {
  return thing.state === "resting" ? shortName(thing) : `${shortName(thing)} ${thing.state.replaceAll("_", " ")}`;
}

/** Without a grid: its lines would cross the zones. */
function options(colours: Palette): DeepPartial<ChartOptions> {
  const { layout, ...rest } = chartOptions(colours);
  const panes = { separatorColor: colours.border, separatorHoverColor: alpha(colours.neutral, 0.2) };
  return { ...rest, layout: { ...layout, panes }, grid: { vertLines: { visible: false }, horzLines: { visible: false } } };
}
