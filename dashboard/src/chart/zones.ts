// Zones as boxes and levels as lines, through their life: what lay there before anyone could know it is hatched, and
// each use makes the rest of the box fainter.

import type { PrimitiveHoveredItem, PrimitivePaneViewZOrder } from "lightweight-charts";

import { alpha, type Palette } from "../theme";
import { type Drawn, toneOf } from "./drawn";
import type { LabelLayer } from "./labels";
import { type Canvas, crisp, Layer } from "./layer";
import { isBlock, shortName } from "./names";
import type { Timeline } from "./timeline";

const HATCH = 5; // pixels between two lines
const MIN_NAMED = 12; // pixels: what is smaller both ways is drawn without its name
const MIN_LEVEL = 30; // the same for a level
const NEAR = 3; // pixels around a zone that still count as pointing at it

/** How a layer names things beside their short name. */
export interface Naming {
  /** Where a zone became known, or "" to name it at its right end only. */
  known(thing: Drawn): string;
  /** At the right end of what still acts. */
  end(thing: Drawn): string;
}

interface Placed {
  thing: Drawn;
  left: number;
  known: number;
  right: number;
  top: number;
  bottom: number;
}

export class ZonesLayer extends Layer {
  private things: Drawn[] = [];
  private placed: Placed[] = [];
  private until: number | null = null;

  constructor(
    timeline: Timeline,
    colours: Palette,
    private readonly labels: LabelLayer,
    private readonly naming: Naming,
  ) {
    super(timeline, colours);
  }

  protected passes(): [PrimitivePaneViewZOrder, (canvas: Canvas) => void][] {
    return [["bottom", this.draw]];
  }

  /** What acts is drawn to the right edge, or to the bar that closes at `until`. */
  set(things: Drawn[], until: number | null = null): void {
    this.things = things;
    this.until = until;
    this.redraw();
  }

  find(key: unknown): Drawn | undefined {
    return this.things.find((thing) => thing.key === key);
  }

  hitTest(x: number, y: number): PrimitiveHoveredItem | null {
    const hit = this.placed
      .filter((box) => x >= box.left - NEAR && x <= box.right + NEAR && y >= box.top - NEAR && y <= box.bottom + NEAR)
      .sort((a, b) => a.bottom - a.top - (b.bottom - b.top))[0];
    return hit ? { externalId: hit.thing.key, zOrder: "bottom" } : null;
  }

  private draw({ context, width, height }: Canvas): void {
    this.placed = [];
    const last = this.until === null ? width : this.xOfClose(this.until);
    for (const thing of this.things) {
      const top = this.y(thing.high);
      const bottom = this.y(thing.low);
      if (top === null || bottom === null || bottom < 0 || top > height) continue;
      const left = this.xOfTime(thing.formed_at) - (thing.shape === "zone" ? this.barSpacing / 2 : 0);
      const right = thing.ended_at === null ? last : this.xOfClose(thing.ended_at);
      if (left > width || right < 0) continue;
      const known = Math.min(this.xOfClose(thing.confirmed_at), right);
      const box = { thing, left: Math.max(left, 0), known, right: Math.min(right, width), top, bottom };
      this.placed.push(box);
      if (thing.shape === "zone") this.box(context, box);
      else this.level(context, box);
      this.name(box, height);
    }
  }

  private box(context: CanvasRenderingContext2D, box: Placed): void {
    const { thing, left, right, top, bottom } = box;
    const colour = this.colours[toneOf(thing)];
    const height = Math.max(1, bottom - top);
    const known = Math.max(box.known, 0);
    if (known > left) this.hatch(context, left, known, top, height, colour);
    const strength = (isBlock(thing.kind) ? 0.22 : 0.14) * (thing.changes.length || fresh(thing) ? 1 : 0.6);
    const edges = this.segments(thing, known, right);
    edges.forEach(([from, to], use) => {
      const faint = Math.max(0.22, 1 - 0.42 * use);
      context.fillStyle = alpha(colour, strength * faint);
      context.fillRect(from, top, to - from, height);
      context.strokeStyle = alpha(colour, 0.75 * faint);
      context.lineWidth = 1;
      context.setLineDash(isBlock(thing.kind) ? [] : [3, 3]);
      context.beginPath();
      for (const y of [crisp(top), crisp(bottom)]) {
        context.moveTo(from, y);
        context.lineTo(to, y);
      }
      context.stroke();
      if (use > 0) this.tick(context, from, top, height, colour);
    });
    if (box.known > 0) {
      context.fillStyle = colour;
      context.fillRect(box.known - 1, top, 2, height);
    }
    if (thing.ended_at !== null && thing.end !== "expired") this.tick(context, right, top, height, colour);
  }

  /** A mark at a use: where the box grows fainter. */
  private tick(context: CanvasRenderingContext2D, x: number, top: number, height: number, colour: string): void {
    context.strokeStyle = alpha(colour, 0.55);
    context.setLineDash([]);
    context.beginPath();
    context.moveTo(Math.round(x) - 0.5, top);
    context.lineTo(Math.round(x) - 0.5, top + height);
    context.stroke();
  }

  /** From known to the right end, cut where the thing was used. */
  private segments(thing: Drawn, known: number, right: number): [number, number][] {
    const uses = thing.changes.map((change) => this.xOfClose(change.at)).filter((x) => x < right);
    const cuts = [known, ...uses.map((x) => Math.min(Math.max(x, known), right)), right];
    return cuts.slice(1).map((to, index) => [cuts[index] ?? known, Math.max(to, cuts[index] ?? known)]);
  }

  private hatch(context: CanvasRenderingContext2D, left: number, right: number, top: number, height: number, colour: string): void {
    context.save();
    context.beginPath();
    context.rect(left, top, right - left, height);
    context.clip();
    context.strokeStyle = alpha(colour, 0.38);
    context.lineWidth = 1;
    context.setLineDash([]);
    context.beginPath();
    for (let x = Math.floor((left - height) / HATCH) * HATCH; x < right; x += HATCH) {
      context.moveTo(x, top + height);
      context.lineTo(x + height, top);
    }
    context.stroke();
    context.restore();
    context.strokeStyle = alpha(colour, 0.5);
    context.lineWidth = 1;
    context.setLineDash([2, 2]);
    context.strokeRect(crisp(left), crisp(top), right - left - 1, height);
  }

  private level(context: CanvasRenderingContext2D, { thing, left, known, right, top }: Placed): void {
    const y = crisp(top);
    const colour = this.colours.liquidity;
    context.lineWidth = 1;
    for (const [from, to, dash, strength] of [
      [left, known, [1, 3], 0.55],
      [Math.max(known, left), right, [], thing.ended_at === null ? 0.7 : thing.end === "run" ? 0.3 : 0.5],
    ] as const) {
      if (to <= from) continue;
      context.strokeStyle = alpha(colour, strength);
      context.setLineDash([...dash]);
      context.beginPath();
      context.moveTo(from, y);
      context.lineTo(to, y);
      context.stroke();
    }
    context.fillStyle = alpha(colour, 0.9);
    if (known > 0) context.fillRect(known - 1, y - 2.5, 2, 5);
  }

  private name({ thing, left, known, right, top, bottom }: Placed, height: number): void {
    const colour = this.colours[toneOf(thing)];
    const tall = bottom - top;
    const wide = right - Math.max(known, 0);
    const rank = (thing.shape === "zone" ? 40 : thing.end === "run" ? 5 : 20) + (isBlock(thing.kind) ? 20 : 0) + Math.min(tall, 15) + Math.min(wide / 10, 15);
    const aside = this.naming.known(thing);
    const visible = [Math.max(top, 0), Math.min(bottom, height)] as const;
    const middle = (visible[0] + visible[1]) / 2;
    if (aside && (wide >= (tall > 0 ? MIN_NAMED : MIN_LEVEL) || tall >= MIN_NAMED)) {
      const x = Math.max(known, left, 0) + 2;
      const [above, below] = [top - 6, bottom + 7];
      const outer = thing.direction > 0 || (thing.direction === 0 && thing.side < 0) ? [below, above] : [above, below];
      const inner = tall >= 12 ? [middle] : [];
      const places = [...inner, ...outer].map((y) => ({ x, y, align: "left" as const }));
      this.labels.offer({ text: shortName(thing), aside, colour, size: 9.5, rank, places });
    }
    const text = this.naming.end(thing);
    if (thing.ended_at === null && text) {
      const [x, align] = this.until === null ? ([right - 4, "right"] as const) : ([right + 5, "left"] as const);
      const places = [middle, middle - 12, middle + 12].map((y) => ({ x, y, align }));
      this.labels.offer({ text, colour, size: aside ? 9.5 : 10, rank: aside ? rank - 15 : 200 - this.distance(thing), places });
    }
  }

  /** How far the last price is away, in hundredths of it, at most 100. */
  private distance(thing: Drawn): number {
    const price = this.timeline.bars.close.at(-1) ?? 0;
    const away = Math.max(thing.low - price, price - thing.high, 0);
    return price > 0 ? Math.min(100, (away / price) * 100) : 0;
  }
}

function fresh(thing: Drawn): boolean {
  return thing.state === "fresh" || thing.state === "open";
}
