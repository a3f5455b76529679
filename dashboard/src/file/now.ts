// The moment whose knowledge is shown, where it is not the end: what lies right of it was not known.

import type { PrimitivePaneViewZOrder } from "lightweight-charts";

import type { LabelLayer } from "../chart/labels";
import { type Canvas, Layer } from "../chart/layer";
import type { Timeline } from "../chart/timeline";
import { momentOfSeconds } from "../format";
import { alpha, type Palette } from "../theme";

export class NowLayer extends Layer {
  private moment: number | null = null;

  constructor(
    timeline: Timeline,
    colours: Palette,
    private readonly labels: LabelLayer,
  ) {
    super(timeline, colours);
  }

  protected passes(): [PrimitivePaneViewZOrder, (canvas: Canvas) => void][] {
    return [["normal", this.draw]];
  }

  set(moment: number | null): void {
    this.moment = moment;
    this.redraw();
  }

  private draw({ context, width, height }: Canvas): void {
    if (this.moment === null) return;
    const x = Math.round(this.xOfClose(this.moment)) + 0.5;
    context.fillStyle = alpha(this.colours.neutral, 0.07);
    context.fillRect(x, 0, width - x, height);
    context.strokeStyle = this.colours.accent;
    context.lineWidth = 1;
    context.setLineDash([5, 3]);
    context.beginPath();
    context.moveTo(x, 0);
    context.lineTo(x, height);
    context.stroke();
    context.setLineDash([]);
    const text = `as known ${momentOfSeconds(this.moment)}`;
    const places = [
      { x: x + 4, y: 9, align: "left" as const },
      { x: x - 4, y: 9, align: "right" as const },
    ];
    this.labels.offer({ text, colour: this.colours.accent, size: 11, rank: 1_000, places });
  }
}
