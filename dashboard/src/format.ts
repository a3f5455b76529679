// Numbers, moments and words as people read them. Amounts arrive as exact decimal text and stay exact.

const names = new Map<string, string>([
  ["bos", "Break of structure"],
  ["choch", "Change of character"],
  ["mss", "Market structure shift"],
  ["mss_strict", "Strict market structure shift"],
  ["liquidity_pool_swept", "Liquidity sweep"],
  ["liquidity_pool", "Liquidity pool"],
  ["order_block", "Order block"],
  ["smt_divergence", "SMT divergence"],
  ["fair_value_gap", "Fair value gap"],
  ["smc_detector", "SMC detector"],
]);

/** `below_break_even` is "Below break even"; names of the field keep their usual spelling. */
export function title(name: string): string {
  const known = names.get(name);
  if (known) return known;
  const spaced = name.replaceAll("_", " ");
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** Groups the thousands of exact decimal text and cuts or fills its decimals (cutting rounds half away from zero). */
export function decimal(text: string, decimals: number): string {
  return Number(text).toLocaleString("en-US", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

/** A price with its own decimals, thousands grouped. */
export function price(text: string): string {
  return decimal(text, text.split(".")[1]?.length ?? 0);
}

export function priceNumber(value: number, decimals: number): string {
  return decimal(String(value), decimals);
}

export function money(text: string): string {
  return decimal(text, 2);
}

/** Money with its sign, a true minus, and no sign on zero. */
export function signed(text: string, decimals = 2): string {
  const value = Number(text);
  const body = decimal(String(Math.abs(value)), decimals);
  if (Number(body.replaceAll(",", "")) === 0) return body;
  return `${value < 0 ? "−" : "+"}${body}`;
}

/** A share as percent with one decimal; `sign` adds a plus. */
export function percent(share: number, decimals = 1, sign = false): string {
  const text = (Math.abs(share) * 100).toFixed(decimals);
  if (Number(text) === 0) return `${text} %`;
  return `${share < 0 ? "−" : sign ? "+" : ""}${text} %`;
}

/** A duration in milliseconds, in the unit that suits it: 3.2 ms, 48 µs. */
export function duration(ms: number): string {
  if (ms === 0) return "–";
  if (ms < 0.0995) return `${(ms * 1000).toFixed(ms < 0.00995 ? 1 : 0)} µs`;
  if (ms < 0.9995) return `${(ms * 1000).toFixed(0)} µs`;
  if (ms < 99.5) return `${ms.toFixed(ms < 9.95 ? 2 : 1)} ms`;
  return ms < 9_950 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

export function count(value: number): string {
  return value.toLocaleString("en-US");
}

const dayTime = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC",
  day: "2-digit",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
});
const fullDate = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC",
  weekday: "short",
  day: "2-digit",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});

/** "12 Mar, 14:15", in UTC. */
export function moment(iso: string): string {
  return dayTime.format(Date.parse(iso));
}

export function momentOfSeconds(seconds: number): string {
  return dayTime.format(seconds * 1000);
}

export function fullMoment(seconds: number): string {
  return `${fullDate.format(seconds * 1000)} UTC`;
}

/** The sign of an amount as a class name, for its colour. */
export function tone(text: string): string {
  const value = Number(text);
  return value > 0 ? "up" : value < 0 ? "down" : "";
}

export function arrow(bias: number): string {
  return bias > 0 ? "▲" : bias < 0 ? "▼" : "–";
}

export function biasWord(bias: number): string {
  return bias > 0 ? "bullish" : bias < 0 ? "bearish" : "no bias yet";
}

/** Decimals of a tick size: "0.01" has 2. */
export function decimalsOf(tick: string): number {
  return tick.split(".")[1]?.length ?? 0;
}
