// Breaks of structure and changes of character, from the pivot to the break, and the sweeps of levels.

import type { PrimitiveHoveredItem, PrimitivePaneViewZOrder } from "lightweight-charts";

import { alpha, type Palette } from "../theme";
import type { Drawn } from "./drawn";
import type { LabelLayer } from "./labels";
import { type Canvas, crisp, Layer } from "./layer";
import { shortName } from "./names";
import type { Timeline } from "./timeline";

const NEAR = 4;

interface Placed {
  thing: Drawn;
  left: number;
  right: number;
  y: number;
}

export class StructureLayer extends Layer {
  private things: Drawn[] = [];
  private placed: Placed[] = [];
  private visible = true;

  /** `aside` stands beside each name: when it became known. */
  constructor(
    timeline: Timeline,
    colours: Palette,
    private readonly labels: LabelLayer,
    private readonly aside: (moment: number) => string,
  ) {
    super(timeline, colours);
  }

  protected passes(): [PrimitivePaneViewZOrder, (canvas: Canvas) => void][] {
    return [["normal", this.draw]];
  }

  /** Takes breaks, and levels of which those that were swept get a mark. */
  set(things: Drawn[]): void {
    this.things = things;
    this.redraw();
  }

  setVisible(visible: boolean): void {
    this.visible = visible;
    this.redraw();
  }

  find(key: unknown): Drawn | undefined {
    return this.things.find((thing) => thing.key === key);
  }

  hitTest(x: number, y: number): PrimitiveHoveredItem | null {
    const hit = this.placed.find((line) => x >= line.left && x <= line.right && Math.abs(y - line.y) <= NEAR);
    return hit ? { externalId: hit.thing.key, zOrder: "normal" } : null;
  }

  private draw({ context, width }: Canvas): void {
    this.placed = [];
    if (!this.visible) return;
    for (const thing of this.things) {
      const at = thing.shape === "line" ? thing.confirmed_at : thing.ended_at;
      const y = this.y(thing.low);
      if (y === null || at === null || (thing.shape !== "line" && thing.end !== "swept")) continue;
      const right = this.xOfMoment(at);
      const left = this.xOfTime(thing.formed_at);
      if (right < 0 || left > width) continue;
      if (thing.shape !== "line") this.sweep(context, thing, right, y);
      else {
        this.placed.push({ thing, left, right, y });
        this.break_(context, thing, left, right, crisp(y));
      }
    }
  }

  private break_(context: CanvasRenderingContext2D, thing: Drawn, left: number, right: number, y: number): void {
    const swing = thing.scope === "swing";
    const colour = thing.direction > 0 ? this.colours.bull : this.colours.bear;
    context.strokeStyle = alpha(colour, swing ? 0.95 : 0.7);
    context.lineWidth = swing ? 1.75 : 1;
    context.setLineDash(thing.kind === "bos" ? [] : [4, 3]);
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(right, y);
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = colour;
    context.beginPath();
    context.arc(right, y, swing ? 2.5 : 2, 0, 2 * Math.PI);
    context.fill();
    const [near, far] = thing.direction > 0 ? [y - 8, y + 8] : [y + 8, y - 8];
    const middle = (Math.max(left, 0) + right) / 2;
    this.labels.offer({
      text: shortName(thing),
      aside: this.aside(thing.confirmed_at),
      colour,
      size: swing ? 11 : 9.5,
      weight: swing ? 700 : 600,
      rank: swing ? 100 : thing.kind === "bos" ? 70 : 75,
      places: [
        { x: right + 2, y: near, align: "right" },
        { x: middle, y: near, align: "center" },
        { x: right + 4, y, align: "left" },
        { x: right + 2, y: far, align: "right" },
      ],
    });
  }

  /** A small cross where the wick went beyond the level and the close came back. */
  private sweep(context: CanvasRenderingContext2D, thing: Drawn, x: number, y: number): void {
    const reach = Math.min(4, Math.max(2.5, this.barSpacing / 2));
    context.strokeStyle = this.colours.liquidity;
    context.lineWidth = 1.5;
    context.setLineDash([]);
    context.beginPath();
    context.moveTo(x - reach, y - reach);
    context.lineTo(x + reach, y + reach);
    context.moveTo(x - reach, y + reach);
    context.lineTo(x + reach, y - reach);
    context.stroke();
    const beyond = thing.side > 0 ? -11 : 11;
    this.labels.offer({
      text: "sweep",
      aside: this.aside(thing.ended_at ?? 0),
      colour: this.colours.liquidity,
      size: 9.5,
      rank: thing.scope === "swing" ? 65 : 45,
      places: [
        { x, y: y + beyond, align: "center" },
        { x: x + reach + 2, y, align: "left" },
        { x, y: y + 2 * beyond, align: "center" },
      ],
    });
  }
}
