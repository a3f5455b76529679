// What can be drawn on the candles, whoever told of it: the live page's zones and structure, or a chart file's things.

import type { StructureOut, ZoneOut } from "../wire";

export type Shape = "zone" | "level" | "line" | "range" | "span" | "mark" | "pair";

/** One record of a life; `at` in seconds. */
export interface Change {
  name: string;
  at: number;
}

export interface Drawn {
  /** Names it among everything on the chart. */
  key: string;
  kind: string;
  shape: Shape;
  timeframe: string;
  direction: number;
  side: number;
  scope: string;
  state: string;
  /** Separate visits of price, 0 where they are not told. */
  touches: number;
  /** Open time of its anchor bar, and close time of the bar that made it known; seconds. */
  formed_at: number;
  confirmed_at: number;
  low: number;
  high: number;
  /** What became of it so far, oldest first. */
  changes: Change[];
  /** When it ceased to act, null while it does; and what ended it. */
  ended_at: number | null;
  end: string;
}

/** A live zone of the agent: of its life the page knows the present state only. */
export function drawnZone(zone: ZoneOut): Drawn {
  const shape = zone.low < zone.high ? "zone" : "level";
  return { ...zone, key: `zone ${zone.timeframe} ${zone.id}`, shape, changes: [], ended_at: null, end: "" };
}

/** A break, or the sweep of a level, as the agent tells it. */
export function drawnStructure(event: StructureOut): Drawn {
  const swept = event.kind.endsWith("_swept");
  return {
    ...event,
    key: `structure ${event.timeframe} ${event.id}`,
    shape: swept ? "level" : "line",
    state: "",
    touches: 0,
    low: event.level,
    high: event.level,
    changes: [],
    ended_at: swept ? event.confirmed_at : null,
    end: swept ? "swept" : "",
  };
}

/** The colour of a thing: by its direction, or that of liquidity where it has none. */
export function toneOf(thing: Drawn): "bull" | "bear" | "liquidity" {
  if (thing.direction === 0 || thing.shape === "level") return "liquidity";
  return thing.direction > 0 ? "bull" : "bear";
}
