// The decision that is being looked at: its entry, stop and target, and the evidence it rests on.

import type { AutoscaleInfo, Logical, PrimitivePaneViewZOrder } from "lightweight-charts";

import { title } from "../format";
import { alpha } from "../theme";
import type { DecisionOut } from "../wire";
import { type Canvas, crisp, Layer } from "./layer";

export interface Shown {
  decision: DecisionOut;
  /** Seconds since the epoch at which it was over: the trade's exit or the entry's expiry. */
  until: number;
}

export class BracketLayer extends Layer {
  private shown: Shown | null = null;

  protected passes(): [PrimitivePaneViewZOrder, (canvas: Canvas) => void][] {
    return [["normal", this.draw]];
  }

  show(shown: Shown | null): void {
    this.shown = shown;
    this.redraw();
  }

  /** Index of the bar that the decision was taken at, null when nothing is shown. */
  get index(): number | null {
    return this.shown ? this.timeline.barOfMoment(Date.parse(this.shown.decision.time) / 1000) : null;
  }

  autoscaleInfo(from: Logical, to: Logical): AutoscaleInfo | null {
    const index = this.index;
    if (!this.shown || index === null || index < from - 20 || index > to + 20) return null;
    const { stop, target } = this.shown.decision;
    const edges = [Number(stop), Number(target)];
    return { priceRange: { minValue: Math.min(...edges), maxValue: Math.max(...edges) } };
  }

  private draw({ context, width }: Canvas): void {
    if (!this.shown) return;
    const { decision, until } = this.shown;
    const left = this.xOfMoment(Date.parse(decision.time) / 1000) + this.barSpacing / 2;
    const right = Math.max(this.xOfMoment(until) + this.barSpacing / 2, left + 40);
    const entry = this.y(Number(decision.entry));
    const stop = this.y(Number(decision.stop));
    const target = this.y(Number(decision.target));
    if (entry === null || stop === null || target === null || left > width) return;
    const named: number[] = [];
    for (const fact of decision.evidence) {
      const low = this.y(Number(fact.low));
      const high = this.y(Number(fact.high));
      if (low === null || high === null) continue;
      const free = named.every((other) => Math.abs(other - high) > 12);
      if (free) named.push(high);
      this.evidence(context, free ? title(fact.role) : "", this.xOfTime(fact.formed_at), left, high, low);
    }
    context.fillStyle = alpha(this.colours.up, 0.16);
    context.fillRect(left, Math.min(entry, target), right - left, Math.abs(entry - target));
    context.fillStyle = alpha(this.colours.down, 0.16);
    context.fillRect(left, Math.min(entry, stop), right - left, Math.abs(entry - stop));
    this.line(context, left, right, target, this.colours.up, "Target");
    this.line(context, left, right, stop, this.colours.down, "Stop");
    this.line(context, left, right, entry, this.colours.accent, "Entry");
  }

  private line(context: CanvasRenderingContext2D, left: number, right: number, y: number, colour: string, name: string): void {
    context.setLineDash([]);
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.beginPath();
    context.moveTo(left, crisp(y));
    context.lineTo(right, crisp(y));
    context.stroke();
    context.font = this.font(10, 600);
    context.textAlign = "left";
    context.textBaseline = "middle";
    const size = context.measureText(name).width;
    context.fillStyle = alpha(this.colours.surface, 0.85);
    context.fillRect(right + 3, y - 7, size + 6, 14);
    context.fillStyle = colour;
    context.fillText(name, right + 6, y + 0.5);
  }

  private evidence(context: CanvasRenderingContext2D, role: string, left: number, right: number, top: number, bottom: number): void {
    context.setLineDash([2, 2]);
    context.strokeStyle = alpha(this.colours.accent, 0.9);
    context.lineWidth = 1;
    context.strokeRect(crisp(left), crisp(top), Math.max(1, right - left), Math.max(0, bottom - top));
    context.font = this.font(9.5, 600);
    context.textAlign = "left";
    context.textBaseline = "bottom";
    context.fillStyle = this.colours.accent;
    context.fillText(role, left + 3, top - 2);
  }
}
