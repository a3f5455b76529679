// Candles as both charts draw them.

import { type CandlestickData, LineStyle, type UTCTimestamp } from "lightweight-charts";

import { priceNumber } from "../format";
import type { Palette } from "../theme";
import type { BarColumns } from "../wire";

export function candleColours(colours: Palette): object {
  return {
    upColor: colours.up,
    downColor: colours.down,
    wickUpColor: colours.up,
    wickDownColor: colours.down,
    borderVisible: false,
    priceLineColor: colours.neutral,
    priceLineStyle: LineStyle.Dotted,
  };
}

export function candle({ time, open, high, low, close }: BarColumns, index: number): CandlestickData {
  return {
    time: (time[index] ?? 0) as UTCTimestamp,
    open: open[index] ?? 0,
    high: high[index] ?? 0,
    low: low[index] ?? 0,
    close: close[index] ?? 0,
  };
}

/** Prices on the scale as people read them, on the grid of the tick. */
export function priceFormat(tick: string, decimals: number): object {
  return { priceFormat: { type: "custom", minMove: Number(tick), formatter: (value: number) => priceNumber(value, decimals) } };
}
