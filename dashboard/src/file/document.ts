// What `smc-agent chart` puts into the page. smc_trading_agent/charts/document.py is the definition, and a test
// compares the two name by name.

import type { Shape } from "../chart/drawn";

export interface Look {
  label: string;
  file: string;
  theme: "auto" | "dark" | "light";
  still: boolean;
}

export interface ChartBars {
  time: number[];
  open: number[];
  high: number[];
  low: number[];
  close: number[];
  volume: number[];
}

export interface ChartChange {
  event_id: number;
  name: string;
  at: number;
  low: number;
  high: number;
  ends: boolean;
  ambiguous: boolean;
}

export interface ChartPivot {
  second: boolean;
  time: number;
  price: number;
}

export interface ChartThing {
  id: number;
  kind: string;
  shape: Shape;
  direction: number;
  side: number;
  scope: string;
  formed_at: number;
  confirmed_at: number;
  low: number;
  high: number;
  source_id: number;
  source: string;
  ambiguous: boolean;
  changes: ChartChange[];
  pivots: ChartPivot[];
}

export interface ChartBeside {
  label: string;
  file: string;
  venue: string;
  symbol: string;
  tick_size: string;
  bars: ChartBars;
}

export interface ChartDocument {
  version: string;
  look: Look;
  venue: string;
  symbol: string;
  timeframe: string;
  tick_size: string;
  bar_seconds: number;
  warmup: number;
  first: number;
  as_of: number;
  concepts: string[];
  bars: ChartBars;
  things: ChartThing[];
  beside: ChartBeside | null;
}
