// What every drawing on the price chart shares: where a bar and a price lie on the screen.

import type { CanvasRenderingTarget2D } from "fancy-canvas";
import type {
  IChartApi,
  IPrimitivePaneView,
  ISeriesApi,
  ISeriesPrimitive,
  Logical,
  PrimitivePaneViewZOrder,
  SeriesAttachedParameter,
  SeriesType,
  Time,
} from "lightweight-charts";

import type { Palette } from "../theme";
import type { Timeline } from "./timeline";

export interface Canvas {
  context: CanvasRenderingContext2D;
  width: number;
  height: number;
}

/** A drawing bound to candles or bars. Subclasses name their passes, from behind the candles to in front of them. */
export abstract class Layer implements ISeriesPrimitive<Time> {
  protected chart: IChartApi | null = null;
  private series: ISeriesApi<SeriesType> | null = null;
  private requestUpdate: () => void = () => undefined;
  private strength = 1;
  private readonly views: IPrimitivePaneView[];

  constructor(
    protected readonly timeline: Timeline,
    protected colours: Palette,
  ) {
    this.views = this.passes().map(([zOrder, draw]) => ({
      zOrder: () => zOrder,
      renderer: () => ({
        draw: (target: CanvasRenderingTarget2D) =>
          target.useMediaCoordinateSpace(({ context, mediaSize }) => {
            context.save();
            context.globalAlpha = this.strength;
            draw.call(this, { context, width: mediaSize.width, height: mediaSize.height });
            context.restore();
          }),
      }),
    }));
  }

  protected abstract passes(): [PrimitivePaneViewZOrder, (canvas: Canvas) => void][];

  attached(given: SeriesAttachedParameter<Time>): void {
    this.chart = given.chart as IChartApi;
    this.series = given.series;
    this.requestUpdate = given.requestUpdate;
  }

  detached(): void {
    this.chart = null;
    this.series = null;
  }

  paneViews(): readonly IPrimitivePaneView[] {
    return this.views;
  }

  setColours(colours: Palette): void {
    this.colours = colours;
    this.redraw();
  }

  /** Stands back while something else is being looked at. */
  setDimmed(dimmed: boolean): void {
    this.strength = dimmed ? 0.3 : 1;
    this.redraw();
  }

  redraw(): void {
    this.requestUpdate();
  }

  /** Screen position of a bar's middle, by its index; bars beyond both ends have one too. */
  protected x(index: number): number | null {
    return this.chart?.timeScale().logicalToCoordinate(index as Logical) ?? null;
  }

  /** Screen position of the bar that opens at `time`, or of the left end when it is older than all we have. */
  protected xOfTime(time: number): number {
    return this.x(this.timeline.barAtOrAfter(time)) ?? 0;
  }

  /** Screen position of the bar in which `moment` (a close time, say) lies. */
  protected xOfMoment(moment: number): number {
    return this.x(Math.max(0, this.timeline.barOfMoment(moment))) ?? 0;
  }

  protected y(price: number): number | null {
    return this.series?.priceToCoordinate(price) ?? null;
  }

  /** Screen position of the close that belongs to `moment`: the right edge of its bar. */
  protected xOfClose(moment: number): number {
    return (this.x(this.timeline.barOfMoment(moment)) ?? 0) + this.barSpacing / 2;
  }

  protected get barSpacing(): number {
    return this.chart?.timeScale().options().barSpacing ?? 6;
  }

  protected font(size: number, weight = 500): string {
    return `${weight} ${size}px ${this.colours.font}`;
  }
}

/** Half a pixel off, so that a line one pixel wide is sharp. */
export function crisp(value: number): number {
  return Math.round(value) + 0.5;
}
