// Where moments lie among the bars; what the live page and the chart file have in common.

import type { BarColumns } from "../wire";

export interface Timeline {
  readonly bars: BarColumns;
  /** Index of the first bar that opens at or after `time`; the number of bars when none does. */
  barAtOrAfter(time: number): number;
  /** Index of the bar in which `time` lies, -1 before the first. A bar's close belongs to it. */
  barOfMoment(time: number): number;
}

/** Index of the first of rising `times` that is not below `time`. */
export function firstAtOrAfter(times: number[], time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle] ?? Infinity) < time) low = middle + 1;
    else high = middle;
  }
  return low;
}
