// Small marks at single bars: pivots, and whatever else is a bar.

import type { PrimitiveHoveredItem, PrimitivePaneViewZOrder } from "lightweight-charts";

import { alpha, type Palette } from "../theme";
import { type Drawn, toneOf } from "./drawn";
import type { LabelLayer } from "./labels";
import { type Canvas, Layer } from "./layer";
import { shortName } from "./names";
import type { Timeline } from "./timeline";

const NEAR = 6;
const OFF = 6; // pixels from the bar to the mark, and from one mark of a bar to the next

interface Placed {
  thing: Drawn;
  x: number;
  y: number;
}

export class MarksLayer extends Layer {
  private things: Drawn[] = [];
  private placed: Placed[] = [];

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

  set(things: Drawn[]): void {
    this.things = things;
    this.redraw();
  }

  find(key: unknown): Drawn | undefined {
    return this.things.find((thing) => thing.key === key);
  }

  hitTest(x: number, y: number): PrimitiveHoveredItem | null {
    const hit = this.placed.find((mark) => Math.hypot(x - mark.x, y - mark.y) <= NEAR);
    return hit ? { externalId: hit.thing.key, zOrder: "normal" } : null;
  }

  private draw({ context, width }: Canvas): void {
    this.placed = [];
    const stacked = new Map<string, number>();
    for (const thing of this.things) {
      const index = this.timeline.barAtOrAfter(thing.formed_at);
      const x = this.x(index);
      if (x === null || x < 0 || x > width || this.timeline.bars.time[index] !== thing.formed_at) continue;
      const above = thing.side > 0 || (thing.side === 0 && thing.direction < 0);
      const edge = this.y((above ? this.timeline.bars.high : this.timeline.bars.low)[index] ?? 0);
      if (edge === null) continue;
      const spot = `${index} ${above}`;
      const before = stacked.get(spot) ?? 0;
      stacked.set(spot, before + 1);
      const y = above ? edge - OFF * (before + 1) : edge + OFF * (before + 1);
      this.placed.push({ thing, x, y });
      if (thing.kind === "pivot") this.pivot(context, thing, x, y, above);
      else this.other(context, thing, x, y, above);
    }
  }

  private pivot(context: CanvasRenderingContext2D, thing: Drawn, x: number, y: number, above: boolean): void {
    const swing = thing.scope === "swing";
    const size = swing ? 4 : Math.min(2.75, Math.max(2, this.barSpacing / 2));
    const tip = above ? size : -size;
    context.fillStyle = alpha(this.colours.muted, swing ? 1 : 0.75);
    context.beginPath();
    context.moveTo(x - size, y - tip);
    context.lineTo(x + size, y - tip);
    context.lineTo(x, y + tip * 0.6);
    context.fill();
    if (!swing) return;
    const beyond = above ? -11 : 11;
    const places = [{ x, y: y + beyond, align: "center" as const }];
    const text = thing.side > 0 ? "Swing high" : "Swing low";
    this.labels.offer({ text, aside: this.aside(thing.confirmed_at), colour: this.colours.text, size: 9.5, rank: 80, places });
  }

  private other(context: CanvasRenderingContext2D, thing: Drawn, x: number, y: number, above: boolean): void {
    const colour = this.colours[toneOf(thing)];
    const size = 3;
    context.fillStyle = colour;
    context.beginPath();
    context.moveTo(x - size, y);
    context.lineTo(x, y - size);
    context.lineTo(x + size, y);
    context.lineTo(x, y + size);
    context.fill();
    const beyond = above ? -10 : 10;
    const places = [beyond, 2 * beyond].map((off) => ({ x, y: y + off, align: "center" as const }));
    this.labels.offer({ text: shortName(thing), aside: this.aside(thing.confirmed_at), colour, size: 9.5, rank: 30, places });
  }
}
