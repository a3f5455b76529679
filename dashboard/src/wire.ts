// What the agent sends: `ViewState` and its parts. The Python models in smc_trading_agent/api are the definition,
// and a test compares the two name by name.

export type Side = "buy" | "sell";
export type BreakerWord = "closed" | "half_open" | "open";
export type Health = "healthy" | "degraded" | "unhealthy";
export type AgentState = "starting" | "running" | "finished" | "stopped" | "failed";

export interface MarketOut {
  label: string;
  mode: string;
  market: string;
  venue: string;
  symbol: string;
  timeframe: string;
  tick_size: string;
}

export interface StatusOut {
  health: Health;
  state: AgentState;
  error: string;
  circuit_breaker: BreakerWord;
  breaker_state: string;
  data_age_seconds: number | null;
  journal_length: number;
  journal_hash: string;
  target_ms: number;
}

export interface BarColumns {
  time: number[];
  open: number[];
  high: number[];
  low: number[];
  close: number[];
  volume: number[];
}

export interface EquityColumns {
  reset: boolean;
  time: number[];
  equity: number[];
}

export interface ZoneOut {
  id: number;
  kind: string;
  timeframe: string;
  direction: number;
  side: number;
  scope: string;
  state: string;
  touches: number;
  formed_at: number;
  confirmed_at: number;
  low: number;
  high: number;
}

export interface StructureOut {
  id: number;
  kind: string;
  timeframe: string;
  direction: number;
  side: number;
  scope: string;
  formed_at: number;
  confirmed_at: number;
  level: number;
}

export interface ContextOut {
  timeframe: string;
  internal_bias: number;
  swing_bias: number;
  range_low: number | null;
  range_high: number | null;
}

export interface EvidenceOut {
  role: string;
  kind: string;
  timeframe: string;
  event_id: number;
  direction: number;
  formed_at: number;
  confirmed_at: number;
  low: string;
  high: string;
}

export interface ReasonOut {
  reason: string;
  meaning: string;
  context: Record<string, string>;
}

export interface VoteOut {
  expert: string;
  status: string;
  probability: number | null;
  weight: number;
}

export interface FeatureOut {
  column: string;
  value: number;
  log_odds: number;
}

export interface DecisionOut {
  number: number;
  id: string;
  time: string;
  kind: string;
  timeframe: string;
  side: Side;
  entry: string;
  stop: string;
  target: string;
  reward_risk: number;
  higher_timeframe_bias: number;
  entry_expires_at: string;
  probability: number | null;
  break_even: number | null;
  chance: number | null;
  samples: number;
  wins: number;
  source: string;
  bundle: string;
  prediction_set: string;
  votes: VoteOut[];
  top_features: FeatureOut[];
  size_multiplier: number;
  taken: boolean;
  quantity: string;
  orders: string[];
  limits: Record<string, string>;
  stage: string;
  reasons: ReasonOut[];
  evidence: EvidenceOut[];
}

export interface OrderOut {
  client_order_id: string;
  decision_id: string;
  purpose: string;
  side: Side;
  state: string;
  working: boolean;
  quantity: string;
  filled: string;
  price: string | null;
  average_price: string | null;
  fees: string;
  created_at: string;
  updated_at: string;
  reason: string;
}

export interface FillOut {
  time: number;
  price: number;
  side: number;
  purpose: string;
  decision_id: string;
}

export interface TradeOut {
  number: number;
  decision_id: string;
  symbol: string;
  side: Side;
  quantity: string;
  entry_time: string;
  exit_time: string;
  entry_price: string;
  exit_price: string;
  gross_pnl: string;
  fees: string;
  net_pnl: string;
  closed_by: string;
  reason: string;
}

export interface PositionOut {
  symbol: string;
  side: Side;
  quantity: string;
  entry_price: string;
  mark_price: string;
  unrealised_pnl: string;
  stop_price: string | null;
  target_price: string | null;
  opened_at: string | null;
  decision_id: string | null;
}

export interface AccountOut {
  time: string;
  equity: string;
  cash: string;
  unrealised_pnl: string;
  realised_pnl: string;
  fees: string;
  drawdown: number;
  max_drawdown: number;
  open_orders: number;
  unknown_orders: number;
}

export interface BreakerChangeOut {
  time: string;
  before: string;
  after: string;
  cause: string;
  detail: string;
  actor: string;
  scope: string;
}

export interface LatencyOut {
  component: string;
  count: number;
  mean_ms: number;
  p50_ms: number;
  p90_ms: number;
  p99_ms: number;
  p999_ms: number;
  max_ms: number;
  last_ms: number;
}

export interface CountsOut {
  bars: number;
  decisions: number;
  taken: number;
  refused: number;
  order_events: number;
  trades: number;
  refusals: Record<string, number>;
}

export interface ViewState {
  revision: number;
  reset: boolean;
  market: MarketOut;
  status: StatusOut;
  counts: CountsOut;
  context: ContextOut[];
  bars: BarColumns;
  equity: EquityColumns;
  structure: StructureOut[];
  zones: ZoneOut[] | null;
  decisions: DecisionOut[];
  orders: OrderOut[] | null;
  fills: FillOut[];
  trades: TradeOut[];
  positions: PositionOut[];
  account: AccountOut | null;
  breaker_changes: BreakerChangeOut[];
  latency: LatencyOut[];
}
