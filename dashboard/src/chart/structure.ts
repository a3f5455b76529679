// Breaks of structure, changes of character and sweeps of the chart's own timeframe.

import type { PrimitivePaneViewZOrder } from "lightweight-charts";

import { alpha } from "../theme";
import type { StructureOut } from "../wire";
import { type Canvas, crisp, Layer } from "./layer";

const NAMES: Record<string, string> = { bos: "BOS", choch: "CHoCH" };
const MIN_LABEL_SPACING = 3.5; // narrower bars leave no room for the names of internal structure

export class StructureLayer extends Layer {
  private visible = true;

  protected passes(): [PrimitivePaneViewZOrder, (canvas: Canvas) => void][] {
    return [["normal", this.draw]];
  }

  setVisible(visible: boolean): void {
    this.visible = visible;
    this.redraw();
  }

  private draw({ context, width }: Canvas): void {
    if (!this.visible) return;
    const timeframe = this.model.market?.timeframe;
    context.textAlign = "center";
    for (const event of this.model.structure) {
      if (event.timeframe !== timeframe) continue;
      const right = this.xOfMoment(event.confirmed_at);
      if (right < 0) continue;
      const left = this.xOfTime(event.formed_at);
      const y = this.y(event.level);
      if (y === null || left > width) continue;
      if (event.kind === "liquidity_pool_swept") this.sweep(context, event, right, y);
      else this.break_(context, event, left, right, crisp(y));
    }
  }

  private break_(context: CanvasRenderingContext2D, event: StructureOut, left: number, right: number, y: number): void {
    const swing = event.scope === "swing";
    const colour = event.direction > 0 ? this.colours.bull : this.colours.bear;
    context.strokeStyle = alpha(colour, swing ? 0.95 : 0.6);
    context.lineWidth = swing ? 1.5 : 1;
    context.setLineDash(event.kind === "choch" ? [4, 3] : []);
    context.beginPath();
    context.moveTo(left, y);
    context.lineTo(right, y);
    context.stroke();
    const name = NAMES[event.kind] ?? event.kind;
    if (!swing && (this.barSpacing < MIN_LABEL_SPACING || right - left < name.length * 6)) return;
    context.font = this.font(swing ? 11 : 9.5, swing ? 700 : 500);
    context.fillStyle = alpha(colour, swing ? 1 : 0.85);
    context.textBaseline = event.direction > 0 ? "bottom" : "top";
    context.fillText(name, (left + right) / 2, y + (event.direction > 0 ? -2 : 3));
  }

  /** A small cross where the wick went beyond the level and the close came back. */
  private sweep(context: CanvasRenderingContext2D, event: StructureOut, x: number, y: number): void {
    const reach = Math.min(4, Math.max(2, this.barSpacing / 2));
    context.strokeStyle = this.colours.liquidity;
    context.lineWidth = 1.5;
    context.setLineDash([]);
    context.beginPath();
    context.moveTo(x - reach, y - reach);
    context.lineTo(x + reach, y + reach);
    context.moveTo(x - reach, y + reach);
    context.lineTo(x + reach, y - reach);
    context.stroke();
    if (event.scope !== "swing" && this.barSpacing < MIN_LABEL_SPACING * 2) return;
    context.font = this.font(9.5);
    context.fillStyle = this.colours.liquidity;
    context.textBaseline = event.side > 0 ? "bottom" : "top";
    context.fillText("sweep", x, y + (event.side > 0 ? -6 : 7));
  }
}
