// What both charts look like.

import { type ChartOptions, ColorType, type DeepPartial } from "lightweight-charts";

import type { Palette } from "../theme";

export function chartOptions(colours: Palette): DeepPartial<ChartOptions> {
  return {
    autoSize: true,
    layout: {
      background: { type: ColorType.Solid, color: colours.surface },
      textColor: colours.muted,
      fontFamily: colours.font,
      fontSize: 11,
      // The logo brings an inline style, which our Content-Security-Policy forbids; the footer has the link instead.
      attributionLogo: false,
    },
    grid: { vertLines: { color: colours.grid }, horzLines: { color: colours.grid } },
    rightPriceScale: { borderColor: colours.border },
    timeScale: { borderColor: colours.border },
    crosshair: {
      vertLine: { color: colours.neutral, labelBackgroundColor: colours.neutral },
      horzLine: { color: colours.neutral, labelBackgroundColor: colours.neutral },
    },
  };
}
