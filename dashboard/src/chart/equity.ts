// The equity line, above and below where it began.

import { BaselineSeries, createChart, type IChartApi, type ISeriesApi, LineStyle, type UTCTimestamp } from "lightweight-charts";

import { priceNumber } from "../format";
import type { Change, Model } from "../model";
import { alpha, type Palette } from "../theme";
import { chartOptions } from "./options";

export class EquityChart {
  private readonly chart: IChartApi;
  private readonly line: ISeriesApi<"Baseline">;
  private base: number | null = null;

  constructor(
    container: HTMLElement,
    private readonly model: Model,
    colours: Palette,
  ) {
    this.chart = createChart(container, chartOptions(colours));
    this.chart.applyOptions({
      handleScroll: false,
      handleScale: false,
      rightPriceScale: { scaleMargins: { top: 0.12, bottom: 0.1 } },
      timeScale: { timeVisible: true, secondsVisible: false, fixLeftEdge: true, fixRightEdge: true, minBarSpacing: 0.01 },
    });
    this.line = this.chart.addSeries(BaselineSeries, { ...lineColours(colours), lineWidth: 2, priceLineVisible: false });
  }

  /** `start` is the equity that the account began with; gains and losses are measured from it. */
  update(change: Change, start: number | null): void {
    if (start !== null && start !== this.base) {
      this.base = start;
      this.line.applyOptions({ baseValue: { type: "price", price: start } });
    }
    if (!change.equity && change.newBars === 0) return;
    const { time, equity } = this.model.equity;
    const account = this.model.account; // newer than the last point, once the agent thins them out
    const last = account ? [Date.parse(account.time) / 1000, Number(account.equity)] : [];
    this.line.setData(spread(time.concat(last.slice(0, 1)), equity.concat(last.slice(1))));
    this.chart.timeScale().fitContent();
  }

  setTheme(colours: Palette): void {
    this.chart.applyOptions(chartOptions(colours));
    this.line.applyOptions(lineColours(colours));
  }
}

/** Chart points with strictly rising times: of several readings at one moment the last counts. */
function spread(time: number[], equity: number[]): { time: UTCTimestamp; value: number }[] {
  const points: { time: UTCTimestamp; value: number }[] = [];
  time.forEach((moment, index) => {
    if (points.at(-1)?.time === moment) points.pop();
    points.push({ time: moment as UTCTimestamp, value: equity[index] ?? 0 });
  });
  return points;
}

function lineColours(colours: Palette): object {
  return {
    topLineColor: colours.up,
    topFillColor1: alpha(colours.up, 0.22),
    topFillColor2: alpha(colours.up, 0.02),
    bottomLineColor: colours.down,
    bottomFillColor1: alpha(colours.down, 0.02),
    bottomFillColor2: alpha(colours.down, 0.22),
    priceLineStyle: LineStyle.Dotted,
    priceFormat: { type: "custom", minMove: 0.01, formatter: (value: number) => priceNumber(value, 2) },
  };
}
