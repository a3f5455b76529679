// SMT divergences: on each of the two instruments a line from its older extreme to its newer one, solid where it led.

import type { PrimitiveHoveredItem, PrimitivePaneViewZOrder } from "lightweight-charts";

import type { LabelLayer } from "../chart/labels";
import { type Canvas, Layer } from "../chart/layer";
import { shortName } from "../chart/names";
import { alpha, type Palette } from "../theme";
import type { Scene, Seen } from "./scene";

const NEAR = 5;
const LEADERS = ["first_instrument", "second_instrument"];

interface Placed {
  seen: Seen;
  from: [number, number];
  to: [number, number];
}

export class DivergenceLayer extends Layer {
  private things: Seen[] = [];
  private placed: Placed[] = [];

  /** `instrument` is 0 on the candles and 1 below them; `name` is written in the corner, where there is one. */
  constructor(
    private readonly scene: Scene,
    colours: Palette,
    private readonly labels: LabelLayer | null,
    private readonly aside: (moment: number) => string,
    private readonly instrument: 0 | 1,
    private readonly name: string,
  ) {
    super(scene, colours);
  }

  protected passes(): [PrimitivePaneViewZOrder, (canvas: Canvas) => void][] {
    return [["normal", this.draw]];
  }

  set(things: Seen[]): void {
    this.things = things;
    this.redraw();
  }

  find(key: unknown): Seen | undefined {
    return this.things.find((seen) => seen.key === key);
  }

  hitTest(x: number, y: number): PrimitiveHoveredItem | null {
    const hit = this.placed.find((line) => distance([x, y], line.from, line.to) <= NEAR);
    return hit ? { externalId: hit.seen.key, zOrder: "normal" } : null;
  }

  private draw({ context, width }: Canvas): void {
    this.placed = [];
    for (const seen of this.things) {
      const ends = seen.thing.pivots.filter((pivot) => pivot.second === (this.instrument === 1));
      const [from, to] = ends.map(({ time, price }): [number, number | null] => [this.x(this.place(time)) ?? 0, this.y(price)]);
      if (!from || !to || from[1] === null || to[1] === null || to[0] < 0 || from[0] > width) continue;
      const placed: Placed = { seen, from: [from[0], from[1]], to: [to[0], to[1]] };
      this.placed.push(placed);
      this.line(context, placed);
    }
    if (this.name) this.corner(context);
  }

  /** Index of the bar that opens at `time`; before the first one shown, as many bars off as there is time. */
  private place(time: number): number {
    const first = this.scene.bars.time[0] ?? time;
    return time < first ? (time - first) / this.scene.document.bar_seconds : this.scene.barAtOrAfter(time);
  }

  private line(context: CanvasRenderingContext2D, { seen, from, to }: Placed): void {
    const leads = LEADERS.indexOf(seen.scope) === this.instrument;
    const colour = seen.side > 0 ? this.colours.bear : this.colours.bull; // what it implied, broken or not
    context.strokeStyle = alpha(colour, seen.end === "" ? 0.95 : 0.55);
    context.lineWidth = 1.75;
    context.setLineDash(leads ? [] : [5, 3]);
    context.beginPath();
    context.moveTo(...from);
    context.lineTo(...to);
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = colour;
    for (const [x, y] of [from, to]) {
      context.beginPath();
      context.arc(x, y, 2.5, 0, 2 * Math.PI);
      context.fill();
    }
    const beyond = seen.side > 0 ? -11 : 11;
    const [x, y] = to;
    this.labels?.offer({
      text: seen.end ? `${shortName(seen)} ${seen.end}` : shortName(seen),
      aside: this.aside(seen.confirmed_at),
      colour,
      size: 10.5,
      weight: 700,
      rank: 110,
      places: [
        { x, y: y + beyond, align: "center" },
        { x: x + 6, y: y + beyond, align: "left" },
        { x, y: y + 2 * beyond, align: "center" },
        { x: (from[0] + x) / 2, y: (from[1] + y) / 2 + beyond, align: "center" },
      ],
    });
  }

  private corner(context: CanvasRenderingContext2D): void {
    context.font = this.font(11, 600);
    context.textAlign = "left";
    context.textBaseline = "top";
    context.lineJoin = "round";
    context.lineWidth = 4;
    context.strokeStyle = alpha(this.colours.surface, 0.92);
    context.strokeText(this.name, 8, 6);
    context.fillStyle = this.colours.muted;
    context.fillText(this.name, 8, 6);
  }
}

/** From a point to the piece of line between two others. */
function distance([x, y]: [number, number], [x0, y0]: [number, number], [x1, y1]: [number, number]): number {
  const [dx, dy] = [x1 - x0, y1 - y0];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / length));
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
}
