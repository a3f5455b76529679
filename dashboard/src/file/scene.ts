// What was known at a moment: things told of by then, each as far as its life had been told.

import type { Drawn } from "../chart/drawn";
import { firstAtOrAfter, type Timeline } from "../chart/timeline";
import type { ChartBars, ChartChange, ChartDocument, ChartThing } from "./document";

/** A thing as it was known, with the record it comes from. */
export interface Seen extends Drawn {
  changes: ChartChange[];
  thing: ChartThing;
}

export class Scene implements Timeline {
  readonly bars: ChartBars;
  private readonly hidden = new Set<string>();

  constructor(readonly document: ChartDocument) {
    this.bars = document.bars;
  }

  barAtOrAfter(time: number): number {
    return firstAtOrAfter(this.bars.time, time);
  }

  barOfMoment(time: number): number {
    return this.barAtOrAfter(time) - 1;
  }

  /** Close time of a bar, in seconds. */
  closeOf(index: number): number {
    return (this.bars.time[index] ?? 0) + this.document.bar_seconds;
  }

  /** Index of the last bar that had closed by `moment`. */
  lastClosed(moment: number): number {
    return this.barAtOrAfter(moment - this.document.bar_seconds + 1) - 1;
  }

  setVisible(kind: string, visible: boolean): void {
    if (visible) this.hidden.delete(kind);
    else this.hidden.add(kind);
  }

  /** Everything that is switched on, as it was known at `moment`. */
  knownBy(moment: number): Seen[] {
    return this.document.things
      .filter((thing) => thing.confirmed_at <= moment && !this.hidden.has(thing.kind))
      .map((thing) => this.seen(thing, moment));
  }

  /** How many of each kind were known, those switched off included. */
  countsBy(moment: number): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { kind, confirmed_at } of this.document.things) {
      if (confirmed_at <= moment) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    }
    return counts;
  }

  private seen(thing: ChartThing, moment: number): Seen {
    const changes = thing.changes.filter((change) => change.at <= moment);
    const end = changes.find((change) => change.ends);
    const last = end ?? changes.at(-1);
    return {
      ...thing,
      low: last?.low ?? thing.low,
      high: last?.high ?? thing.high,
      key: `${thing.shape} ${thing.id}`, // divergences are counted apart
      timeframe: this.document.timeframe,
      state: last?.name ?? (thing.shape === "level" ? "resting" : "fresh"),
      touches: 0,
      changes,
      ended_at: end?.at ?? null,
      end: end?.name ?? "",
      thing,
    };
  }
}
