// Live zones: order blocks and fair value gaps as boxes, liquidity as dotted levels, each from where it formed.

import type { PrimitiveHoveredItem, PrimitivePaneViewZOrder } from "lightweight-charts";

import { alpha } from "../theme";
import type { ZoneOut } from "../wire";
import { type Canvas, crisp, Layer } from "./layer";

export type ZoneKind = "order_block" | "fair_value_gap" | "liquidity_pool";

const LABEL_HEIGHT = 14;
const SHORT: Record<string, string> = { order_block: "OB", fair_value_gap: "FVG" };

interface Placed {
  zone: ZoneOut;
  left: number;
  top: number;
  bottom: number;
}

export class ZonesLayer extends Layer {
  private readonly hidden = new Set<ZoneKind>();
  private shown: ZoneOut[] = [];
  private placed: Placed[] = [];

  protected passes(): [PrimitivePaneViewZOrder, (canvas: Canvas) => void][] {
    return [
      ["bottom", this.drawZones],
      ["top", this.drawLabels],
    ];
  }

  setVisible(kind: ZoneKind, visible: boolean): void {
    if (visible) this.hidden.delete(kind);
    else this.hidden.add(kind);
    this.refresh();
  }

  /** Takes the zones that the model has now; the agent sends only those near the price. */
  refresh(): void {
    this.shown = this.model.zones.filter((zone) => !this.hidden.has(zone.kind as ZoneKind));
    this.redraw();
  }

  /** The zone that a crosshair event names, if it is one of ours. */
  find(id: unknown): ZoneOut | undefined {
    return this.shown.find((zone) => keyOf(zone) === id);
  }

  hitTest(x: number, y: number): PrimitiveHoveredItem | null {
    const hit = this.placed
      .filter((box) => x >= box.left && y >= box.top - 3 && y <= box.bottom + 3)
      .sort((a, b) => a.bottom - a.top - (b.bottom - b.top))[0];
    return hit ? { externalId: keyOf(hit.zone), zOrder: "bottom" } : null;
  }

  private drawZones({ context, width, height }: Canvas): void {
    this.placed = [];
    for (const zone of this.shown) {
      const top = this.y(zone.high);
      const bottom = this.y(zone.low);
      if (top === null || bottom === null || bottom < 0 || top > height) continue;
      const left = Math.max(0, this.xOfTime(zone.formed_at));
      if (left > width) continue;
      this.placed.push({ zone, left, top, bottom });
      if (zone.kind === "liquidity_pool") this.level(context, left, top, width);
      else this.box(context, zone, left, top, bottom, width);
    }
  }

  private box(context: CanvasRenderingContext2D, zone: ZoneOut, left: number, top: number, bottom: number, width: number): void {
    const colour = zone.direction > 0 ? this.colours.bull : this.colours.bear;
    const fresh = zone.state === "fresh" || zone.state === "open";
    const block = zone.kind === "order_block";
    const fade = context.createLinearGradient(left, 0, width, 0);
    const strength = (block ? 0.2 : 0.13) * (fresh ? 1 : 0.6);
    fade.addColorStop(0, alpha(colour, strength));
    fade.addColorStop(1, alpha(colour, strength * 0.55));
    context.fillStyle = fade;
    context.fillRect(left, top, width - left, Math.max(1, bottom - top));
    context.strokeStyle = alpha(colour, fresh ? 0.65 : 0.4);
    context.lineWidth = 1;
    context.setLineDash(block ? [] : [3, 3]);
    context.beginPath();
    for (const y of [crisp(top), crisp(bottom)]) {
      context.moveTo(left, y);
      context.lineTo(width, y);
    }
    context.stroke();
    if (!block) return;
    context.fillStyle = alpha(colour, 0.9);
    context.fillRect(left, top, 2, Math.max(1, bottom - top));
  }

  private level(context: CanvasRenderingContext2D, left: number, y: number, width: number): void {
    context.strokeStyle = alpha(this.colours.liquidity, 0.75);
    context.lineWidth = 1;
    context.setLineDash([1, 3]);
    context.beginPath();
    context.moveTo(left, crisp(y));
    context.lineTo(width, crisp(y));
    context.stroke();
  }

  /** Names at the right end; of two that would overlap, the one nearer to the price is written. */
  private drawLabels({ context, width, height }: Canvas): void {
    const last = this.model.bars.close.at(-1) ?? 0;
    const taken: number[] = [];
    context.font = this.font(10, 600);
    context.textAlign = "right";
    context.textBaseline = "middle";
    for (const { zone, top, bottom } of this.placed.toSorted((a, b) => distance(a.zone, last) - distance(b.zone, last))) {
      const y = Math.min(Math.max((Math.max(top, 0) + Math.min(bottom, height)) / 2, 8), height - 8);
      if (taken.some((other) => Math.abs(other - y) < LABEL_HEIGHT)) continue;
      taken.push(y);
      const text = labelOf(zone);
      const size = context.measureText(text).width;
      context.fillStyle = alpha(this.colours.surface, 0.8);
      context.fillRect(width - size - 10, y - 7, size + 8, LABEL_HEIGHT);
      context.fillStyle = this.labelColour(zone);
      context.fillText(text, width - 6, y + 0.5);
    }
  }

  private labelColour(zone: ZoneOut): string {
    if (zone.kind === "liquidity_pool") return this.colours.liquidity;
    return zone.direction > 0 ? this.colours.bull : this.colours.bear;
  }
}

/** "OB 1h", "FVG 15m"; liquidity above the price is buy-side (BSL), below it sell-side (SSL). */
function labelOf(zone: ZoneOut): string {
  const name = zone.kind === "liquidity_pool" ? (zone.side > 0 ? "BSL" : "SSL") : (SHORT[zone.kind] ?? zone.kind);
  return `${name} ${zone.timeframe}`;
}

function keyOf(zone: ZoneOut): string {
  return `zone ${zone.timeframe} ${zone.id}`;
}

function distance(zone: ZoneOut, price: number): number {
  return Math.max(zone.low - price, price - zone.high, 0);
}
