// What the page knows: the newest state, with bounded lists that grow by what each message brings.

import { firstAtOrAfter, type Timeline } from "./chart/timeline";
import type {
  AccountOut,
  BarColumns,
  BreakerChangeOut,
  ContextOut,
  CountsOut,
  DecisionOut,
  EquityColumns,
  FillOut,
  LatencyOut,
  MarketOut,
  OrderOut,
  PositionOut,
  StatusOut,
  StructureOut,
  TradeOut,
  ViewState,
  ZoneOut,
} from "./wire";

const KEEP = { bars: 3000, structure: 1200, decisions: 300, fills: 1500, trades: 300, changes: 50 };

/** How one message changed the model; panels draw again only what changed. */
export interface Change {
  /** The lists were replaced, not continued. */
  reset: boolean;
  /** How many bars came at the end. */
  newBars: number;
  /** Old bars left at the front. */
  trimmed: boolean;
  equity: boolean;
  structure: boolean;
  zones: boolean;
  decisions: boolean;
  orders: boolean;
  fills: boolean;
  trades: boolean;
  breakerChanges: boolean;
}

export class Model implements Timeline {
  market: MarketOut | null = null;
  status: StatusOut | null = null;
  counts: CountsOut | null = null;
  context: ContextOut[] = [];
  bars: BarColumns = { time: [], open: [], high: [], low: [], close: [], volume: [] };
  equity: EquityColumns = { reset: true, time: [], equity: [] };
  structure: StructureOut[] = [];
  zones: ZoneOut[] = [];
  decisions: DecisionOut[] = [];
  orders: OrderOut[] = [];
  fills: FillOut[] = [];
  trades: TradeOut[] = [];
  positions: PositionOut[] = [];
  account: AccountOut | null = null;
  breakerChanges: BreakerChangeOut[] = [];
  latency: LatencyOut[] = [];

  /** Takes in one message and says what it changed. */
  apply(state: ViewState): Change {
    this.market = state.market;
    this.status = state.status;
    this.counts = state.counts;
    this.context = state.context;
    this.positions = state.positions;
    this.account = state.account;
    this.latency = state.latency;
    if (state.zones) this.zones = state.zones;
    if (state.orders) this.orders = state.orders;
    const reset = state.reset;
    const bars = columns(this.bars, state.bars, reset, KEEP.bars);
    this.bars = bars.columns;
    this.equity = state.equity.reset
      ? state.equity
      : { reset: false, time: this.equity.time.concat(state.equity.time), equity: this.equity.equity.concat(state.equity.equity) };
    this.structure = list(this.structure, state.structure, reset, KEEP.structure);
    this.decisions = list(this.decisions, state.decisions, reset, KEEP.decisions);
    this.fills = list(this.fills, state.fills, reset, KEEP.fills);
    this.trades = list(this.trades, state.trades, reset, KEEP.trades);
    this.breakerChanges = list(this.breakerChanges, state.breaker_changes, reset, KEEP.changes);
    return {
      reset,
      newBars: state.bars.time.length,
      equity: state.equity.reset || state.equity.time.length > 0,
      trimmed: bars.trimmed,
      structure: reset || state.structure.length > 0,
      zones: state.zones !== null,
      decisions: reset || state.decisions.length > 0,
      orders: state.orders !== null,
      fills: reset || state.fills.length > 0,
      trades: reset || state.trades.length > 0,
      breakerChanges: reset || state.breaker_changes.length > 0,
    };
  }

  barAtOrAfter(time: number): number {
    return firstAtOrAfter(this.bars.time, time);
  }

  barOfMoment(time: number): number {
    return this.barAtOrAfter(time) - 1;
  }
}

/** Appends and, once a list is half as long again as it should be, lets the oldest go. */
function list<T>(old: T[], fresh: T[], reset: boolean, keep: number): T[] {
  if (reset) return fresh;
  if (fresh.length === 0) return old;
  const all = old.concat(fresh);
  return all.length > keep * 1.5 ? all.slice(-keep) : all;
}

function columns(
  old: BarColumns,
  fresh: BarColumns,
  reset: boolean,
  keep: number,
): { columns: BarColumns; trimmed: boolean } {
  if (reset) return { columns: fresh, trimmed: false };
  if (fresh.time.length === 0) return { columns: old, trimmed: false };
  const trimmed = old.time.length + fresh.time.length > keep * 1.5;
  const join = (name: keyof BarColumns): number[] => {
    const all = old[name].concat(fresh[name]);
    return trimmed ? all.slice(-keep) : all;
  };
  const [time, open, high, low] = [join("time"), join("open"), join("high"), join("low")];
  return { columns: { time, open, high, low, close: join("close"), volume: join("volume") }, trimmed };
}
