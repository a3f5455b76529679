// Names on the chart that never lie on each other: each layer says where its names could stand, the most important
// are placed first, off the candles where there is room, and what finds no place is left out.

import type { PrimitivePaneViewZOrder } from "lightweight-charts";

import { alpha } from "../theme";
import { type Canvas, Layer } from "./layer";

const SPACE = 2;

export interface Place {
  x: number;
  y: number;
  align: "left" | "center" | "right";
}

export interface Label {
  text: string;
  /** Stands after the text, fainter. */
  aside?: string;
  colour: string;
  size?: number;
  weight?: number;
  /** Higher is placed first. */
  rank: number;
  /** Where its middle line could lie, best first. */
  places: Place[];
}

interface Box {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

interface Placed extends Box {
  label: Label;
  textWidth: number;
}

export class LabelLayer extends Layer {
  private offered: Label[] = [];
  private placed: Placed[] | null = null;

  protected passes(): [PrimitivePaneViewZOrder, (canvas: Canvas) => void][] {
    return [
      ["bottom", this.begin],
      ["top", this.draw],
    ];
  }

  /** Takes a name for the frame that is being drawn. */
  offer(label: Label): void {
    this.offered.push(label);
  }

  /** This layer is attached first, so every frame begins here. */
  private begin(): void {
    this.offered = [];
    this.placed = null;
  }

  private draw({ context, width, height }: Canvas): void {
    this.placed ??= this.place(context, width, height);
    context.textBaseline = "middle";
    context.textAlign = "left";
    context.lineJoin = "round";
    context.setLineDash([]);
    for (const { label, left, top, bottom, textWidth } of this.placed) {
      const y = (top + bottom) / 2 + 0.5;
      this.write(context, label, label.text, left + SPACE, y, label.weight ?? 600, label.colour);
      if (label.aside) this.write(context, label, label.aside, left + SPACE + textWidth + 3, y, 450, alpha(this.colours.text, 0.72));
    }
  }

  private write(context: CanvasRenderingContext2D, label: Label, text: string, x: number, y: number, weight: number, colour: string): void {
    context.font = this.font(label.size ?? 10, weight);
    context.strokeStyle = alpha(this.colours.surface, 0.92);
    context.lineWidth = 4;
    context.strokeText(text, x, y);
    context.fillStyle = colour;
    context.fillText(text, x, y);
  }

  private place(context: CanvasRenderingContext2D, width: number, height: number): Placed[] {
    const placed: Placed[] = [];
    for (const label of this.offered.toSorted((a, b) => b.rank - a.rank)) {
      const size = label.size ?? 10;
      context.font = this.font(size, label.weight ?? 600);
      const textWidth = context.measureText(label.text).width;
      context.font = this.font(size, 450);
      const full = textWidth + (label.aside ? context.measureText(label.aside).width + 3 : 0) + 2 * SPACE;
      const free = label.places
        .map((place) => boxOf(place, full, size + 3))
        .filter((box) => inside(box, width, height) && placed.every((other) => !overlap(box, other)));
      const box = free.find((candidate) => !this.onCandles(candidate)) ?? free[0];
      if (box) placed.push({ ...box, label, textWidth });
    }
    return placed;
  }

  private onCandles({ left, right, top, bottom }: Box): boolean {
    const { high, low } = this.timeline.bars;
    const spacing = this.barSpacing;
    const origin = this.x(0) ?? 0;
    const from = Math.max(0, Math.floor((left - origin) / spacing));
    const to = Math.min(high.length - 1, Math.ceil((right - origin) / spacing));
    for (let index = from; index <= to; index++) {
      const [above, below] = [this.y(high[index] ?? 0), this.y(low[index] ?? 0)];
      if (above !== null && below !== null && above < bottom && below > top) return true;
    }
    return false;
  }
}

function boxOf({ x, y, align }: Place, width: number, height: number): Box {
  const left = align === "left" ? x : align === "right" ? x - width : x - width / 2;
  return { left, right: left + width, top: y - height / 2, bottom: y + height / 2 };
}

function inside(box: Box, width: number, height: number): boolean {
  return box.left >= -1 && box.right <= width + 1 && box.top >= 0 && box.bottom <= height;
}

function overlap(a: Box, b: Box): boolean {
  return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}
