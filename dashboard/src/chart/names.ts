// Names short enough to stand on a chart. What has none here is written out, so nothing needs one.

import { title } from "../format";
import type { Drawn } from "./drawn";

const SHORT: Record<string, string> = {
  order_block: "OB",
  fair_value_gap: "FVG",
  inverse_fair_value_gap: "iFVG",
  balanced_price_range: "BPR",
  volume_imbalance: "VI",
  opening_gap: "Gap",
  mitigation_block: "Mitigation",
  rejection_block: "Rejection",
  propulsion_block: "Propulsion",
  optimal_entry: "OTE",
  inducement: "IDM",
  bos: "BOS",
  choch: "CHoCH",
  mss: "MSS",
  mss_strict: "MSS+",
  smt_divergence: "SMT",
  judas_swing: "Judas",
  power_of_three_accumulation: "PO3 accumulation",
  power_of_three_manipulation: "PO3 manipulation",
  power_of_three_distribution: "PO3 distribution",
};
const PERIODS: Record<string, string> = { day: "PD", week: "PW", month: "PM" };
const BY_SIDE: Record<string, [string, string]> = { liquidity_pool: ["BSL", "SSL"], equal_levels: ["EQH", "EQL"] };

/** "OB", "EQH", "PDL", "London kill zone"; liquidity above the price is buy-side (BSL), below it sell-side (SSL). */
export function shortName(thing: Drawn): string {
  const sides = BY_SIDE[thing.kind];
  if (sides) return thing.side > 0 ? sides[0] : sides[1];
  const upper = thing.side > 0;
  if (thing.kind === "period_level") return `${PERIODS[thing.scope] ?? title(thing.scope)}${upper ? "H" : "L"}`;
  if (thing.kind === "session_level") return `${windowName(thing.scope)} ${upper ? "high" : "low"}`;
  if (thing.kind === "session_range") return windowName(thing.scope);
  return SHORT[thing.kind] ?? title(thing.kind);
}

/** "London kill zone", "NY session". */
export function windowName(scope: string): string {
  return title(scope).replace("New york", "NY");
}

/** Blocks have solid edges, imbalances broken ones. */
export function isBlock(kind: string): boolean {
  return kind === "breaker" || kind.endsWith("_block");
}
