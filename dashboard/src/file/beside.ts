// The second instrument, in a pane of its own below the candles: its bars, and its side of every divergence.

import { BarSeries, type IChartApi, type ISeriesApi } from "lightweight-charts";

import { candle, priceFormat } from "../chart/candles";
import { decimalsOf } from "../format";
import { alpha, type Palette } from "../theme";
import { DivergenceLayer } from "./divergence";
import type { ChartBeside } from "./document";
import type { Scene, Seen } from "./scene";

const SHARE = 0.4; // of the height of the candles
const PANE = 1;

export class BesidePane {
  readonly layer: DivergenceLayer;
  private readonly series: ISeriesApi<"Bar">;

  constructor(
    chart: IChartApi,
    scene: Scene,
    private readonly beside: ChartBeside,
    private colours: Palette,
  ) {
    this.series = chart.addSeries(BarSeries, { thinBars: true, priceLineVisible: false, lastValueVisible: false }, PANE);
    this.series.applyOptions(priceFormat(beside.tick_size, decimalsOf(beside.tick_size)));
    this.series.priceScale().applyOptions({ scaleMargins: { top: 0.14, bottom: 0.1 } });
    const [candles, below] = chart.panes();
    candles?.setStretchFactor(1);
    below?.setStretchFactor(SHARE);
    const made = beside.label === "SYNTHETIC" ? " SYNTHETIC" : "";
    this.layer = new DivergenceLayer(scene, colours, null, () => "", 1, `${beside.symbol}${made}`);
    this.series.attachPrimitive(this.layer);
  }

  /** Bars that had not closed by `until`, the open time of the newest one known, are faint. */
  show(until: number, faint: number): void {
    this.series.setData(
      this.beside.bars.time.map((time, index) => ({
        ...candle(this.beside.bars, index),
        color: alpha(this.colours.neutral, time <= until ? 1 : faint),
      })),
    );
  }

  set(things: Seen[]): void {
    this.layer.set(things);
  }

  setColours(colours: Palette): void {
    this.colours = colours;
    this.layer.setColours(colours);
  }
}
