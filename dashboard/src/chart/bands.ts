// Stretches of time behind the candles: sessions and kill zones, with the range that each left.

import type { PrimitiveHoveredItem, PrimitivePaneViewZOrder } from "lightweight-charts";

import { alpha, type Palette } from "../theme";
import { type Drawn, toneOf } from "./drawn";
import type { LabelLayer } from "./labels";
import { type Canvas, crisp, Layer } from "./layer";
import { shortName } from "./names";
import type { Timeline } from "./timeline";

const TONES = ["accent", "liquidity", "bull", "bear"] as const;
export const STRIP = 15; // pixels from one name at the foot of the chart to the next

interface Placed {
  thing: Drawn;
  left: number;
  right: number;
  top: number;
  bottom: number;
}

export class BandsLayer extends Layer {
  private things: Drawn[] = [];
  private placed: Placed[] = [];
  private scopes: string[] = [];

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

  set(things: Drawn[]): void {
    this.things = things;
    this.scopes = [...new Set(things.map((thing) => `${thing.kind} ${thing.scope}`))].sort();
    this.redraw();
  }

  find(key: unknown): Drawn | undefined {
    return this.things.find((thing) => thing.key === key);
  }

  hitTest(x: number, y: number): PrimitiveHoveredItem | null {
    const hit = this.placed.find((box) => x >= box.left && x <= box.right && y >= box.top && y <= box.bottom);
    return hit ? { externalId: hit.thing.key, zOrder: "bottom" } : null;
  }

  private draw({ context, width, height }: Canvas): void {
    this.placed = [];
    for (const thing of this.things) {
      const left = this.xOfTime(thing.formed_at) - this.barSpacing / 2;
      const right = this.xOfClose(thing.confirmed_at);
      const top = this.y(thing.high);
      const bottom = this.y(thing.low);
      if (right < 0 || left > width || top === null || bottom === null) continue;
      const lane = this.scopes.indexOf(`${thing.kind} ${thing.scope}`);
      const colour = thing.direction === 0 ? this.colours[TONES[lane % TONES.length] ?? "accent"] : this.colours[toneOf(thing)];
      this.placed.push({ thing, left, right, top, bottom });
      context.fillStyle = alpha(colour, 0.045);
      context.fillRect(left, 0, right - left, height);
      context.fillStyle = alpha(colour, 0.05);
      context.fillRect(left, top, right - left, bottom - top);
      context.strokeStyle = alpha(colour, 0.6);
      context.lineWidth = 1;
      context.setLineDash([2, 3]);
      context.strokeRect(crisp(left), crisp(top), right - left - 1, bottom - top);
      context.setLineDash([]);
      const foot = height - 9 - lane * STRIP;
      context.fillStyle = alpha(colour, 0.7);
      context.fillRect(left, foot + 6, right - left, 2);
      this.labels.offer({
        text: shortName(thing),
        aside: this.aside(thing.confirmed_at),
        colour,
        size: 9.5,
        rank: 60,
        places: [
          { x: (Math.max(left, 0) + Math.min(right, width)) / 2, y: foot, align: "center" },
          { x: Math.max(left, 0), y: foot, align: "left" },
        ],
      });
    }
  }
}
