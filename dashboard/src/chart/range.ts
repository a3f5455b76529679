// The dealing range: premium above its middle, discount below; older ones as thin lines.

import type { PrimitiveHoveredItem, PrimitivePaneViewZOrder } from "lightweight-charts";

import { alpha, type Palette } from "../theme";
import type { Drawn } from "./drawn";
import type { LabelLayer } from "./labels";
import { type Canvas, crisp, Layer } from "./layer";
import type { Timeline } from "./timeline";

const NEAR = 3;

interface Placed {
  thing: Drawn;
  left: number;
  known: number;
  right: number;
  edges: [top: number, middle: number, bottom: number];
}

export class RangeLayer extends Layer {
  private things: Drawn[] = [];
  private placed: Placed[] = [];
  private until = 0;

  constructor(
    timeline: Timeline,
    colours: Palette,
    private readonly labels: LabelLayer,
    private readonly aside: (moment: number) => string,
  ) {
    super(timeline, colours);
  }

  protected passes(): [PrimitivePaneViewZOrder, (canvas: Canvas) => void][] {
    return [["bottom", this.draw]];
  }

  /** A range in force is drawn to the bar that closes at `until`. */
  set(things: Drawn[], until: number): void {
    this.things = things;
    this.until = until;
    this.redraw();
  }

  find(key: unknown): Drawn | undefined {
    return this.things.find((thing) => thing.key === key);
  }

  hitTest(x: number, y: number): PrimitiveHoveredItem | null {
    const hit = this.placed.find(
      ({ left, right, edges }) => x >= left && x <= right && edges.some((edge) => Math.abs(edge - y) <= NEAR),
    );
    return hit ? { externalId: hit.thing.key, zOrder: "bottom" } : null;
  }

  private draw({ context, width }: Canvas): void {
    this.placed = [];
    for (const thing of this.things) {
      const [top, middle, bottom] = [thing.high, (thing.high + thing.low) / 2, thing.low].map((price) => this.y(price));
      const right = this.xOfClose(thing.ended_at ?? this.until);
      const left = this.xOfTime(thing.formed_at);
      if (top == null || middle == null || bottom == null || right < 0 || left > width) continue;
      const known = Math.min(Math.max(this.xOfClose(thing.confirmed_at), 0), right);
      const placed: Placed = { thing, left: Math.max(left, 0), known, right, edges: [top, middle, bottom] };
      this.placed.push(placed);
      this.paint(context, placed);
    }
  }

  private paint(context: CanvasRenderingContext2D, { thing, left, known, right, edges }: Placed): void {
    const [top, middle, bottom] = edges;
    const inForce = thing.ended_at === null;
    if (inForce) {
      context.fillStyle = this.shade(context, top, middle, this.colours.bear, 0.13, 0.02);
      context.fillRect(known, top, right - known, middle - top);
      context.fillStyle = this.shade(context, middle, bottom, this.colours.bull, 0.02, 0.13);
      context.fillRect(known, middle, right - known, bottom - middle);
    }
    const names: [string, number, string][] = [
      ["Premium", top, this.colours.bear],
      ["Equilibrium", middle, this.colours.neutral],
      ["Discount", bottom, this.colours.bull],
    ];
    for (const [name, y, colour] of names) {
      for (const [from, to, dash] of [[left, known, [1, 4]], [known, right, name === "Equilibrium" ? [6, 4] : []]] as const) {
        context.strokeStyle = alpha(colour, inForce ? 0.85 : 0.35);
        context.lineWidth = 1;
        context.setLineDash([...dash]);
        context.beginPath();
        context.moveTo(from, crisp(y));
        context.lineTo(Math.max(from, to), crisp(y));
        context.stroke();
      }
      if (!inForce) continue;
      const inward = name === "Premium" ? 8 : -8;
      const heights = [y + inward, y - inward];
      const places = heights.flatMap((height) => [
        { x: known + 4, y: height, align: "left" as const },
        { x: right - 4, y: height, align: "right" as const },
      ]);
      const aside = this.aside(thing.confirmed_at);
      this.labels.offer({ text: name, aside, colour: name === "Equilibrium" ? this.colours.muted : colour, rank: 90, places });
    }
    context.setLineDash([]);
  }

  private shade(context: CanvasRenderingContext2D, from: number, to: number, colour: string, first: number, last: number): CanvasGradient {
    const shade = context.createLinearGradient(0, from, 0, to);
    shade.addColorStop(0, alpha(colour, first));
    shade.addColorStop(1, alpha(colour, last));
    return shade;
  }
}
