// Why a decision was taken or refused: the numbers, the reasons, the evidence, and what became of it.

import { definition, el, svg } from "../dom";
import { biasWord, count, fullMoment, moment, momentOfSeconds, percent, price, signed, title, tone } from "../format";
import type { DecisionOut, EvidenceOut, OrderOut, TradeOut } from "../wire";

export function why(decision: DecisionOut, orders: OrderOut[], trade: TradeOut | undefined): Node[] {
  const parts: (Node | null)[] = [
    verdict(decision),
    probability(decision),
    models(decision),
    plan(decision),
    reasons(decision),
    evidence(decision),
    limits(decision),
    life(orders),
    outcome(trade),
    el("p", "id", "In a terminal: ", el("code", "", `smc-agent explain ${decision.id}`)),
  ];
  return parts.filter((part): part is Node => part !== null);
}

function verdict(decision: DecisionOut): Node {
  const side = decision.side === "buy" ? "Buy" : "Sell";
  const bias = `higher timeframe ${biasWord(decision.higher_timeframe_bias)}`;
  const end = decision.taken ? `taken, ${decision.quantity} ordered` : `refused by ${title(decision.stage).toLowerCase()}`;
  const when = fullMoment(Date.parse(decision.time) / 1000);
  return el("p", "verdict", `${side} ${decision.kind} on ${decision.timeframe}, ${bias}: ${end}. ${when}.`);
}

/** P(win) on a scale beside break-even and chance. */
function probability(decision: DecisionOut): Node | null {
  const { probability: p, break_even: even, chance } = decision;
  if (p === null || even === null) return null;
  const beats = p > even;
  const text = `The probability of winning, ${percent(p)}, ${beats ? "beats" : "does not beat"} break-even after costs, ${percent(even)}.`;
  const scale = svg(
    "svg",
    { viewBox: "0 0 100 12", preserveAspectRatio: "none", class: "scale", role: "img", "aria-label": text },
    svg("rect", { x: 0, y: 4, width: 100, height: 4, class: "scale-track" }),
    svg("rect", { x: 0, y: 4, width: p * 100, height: 4, class: beats ? "scale-good" : "scale-bad" }),
    svg("rect", { x: even * 100 - 0.35, y: 0, width: 0.7, height: 12, class: "scale-mark" }),
  );
  const record =
    decision.samples > 0
      ? `${title(decision.source)}: ${decision.wins.toFixed(1)} won of ${count(decision.samples)} ended setups of this kind.`
      : `${title(decision.source)}: no setup of this kind has ended yet.`;
  return el(
    "div",
    "probability",
    el(
      "dl",
      "pairs three",
      definition("P(win)", percent(p), beats ? "up" : "down"),
      definition("Break-even", percent(even)),
      definition("Chance alone", chance === null ? "–" : percent(chance)),
    ),
    scale,
    el("p", "note", record),
  );
}

/** What each model said, and what moved them; nothing where base rates alone forecast. */
function models(decision: DecisionOut): Node | null {
  if (decision.votes.length === 0) return null;
  const votes = decision.votes.map((vote) =>
    el(
      "li",
      "",
      el("strong", "", title(vote.expert)),
      vote.probability === null ? ` ${title(vote.status).toLowerCase()}` : ` ${percent(vote.probability)}`,
      el("span", "note", vote.weight > 0 ? `weight ${vote.weight.toFixed(2)}` : "not counted"),
    ),
  );
  const moved = decision.top_features.map((share) => `${title(share.column)} ${signed(share.log_odds.toFixed(2))}`);
  return section(
    "Models",
    el("ul", "evidence", ...votes),
    decision.prediction_set ? el("p", "note", `Outcomes that can't be ruled out: ${decision.prediction_set}.`) : null,
    decision.size_multiplier < 1
      ? el("p", "note", `The policy takes ${percent(decision.size_multiplier)} of the size that the limits allow.`)
      : null,
    moved.length > 0 ? el("p", "note", `Log-odds moved most by ${moved.join(", ")}.`) : null,
  );
}

function plan(decision: DecisionOut): Node {
  return el(
    "dl",
    "pairs four",
    definition("Entry", price(decision.entry)),
    definition("Stop", price(decision.stop)),
    definition("Target", price(decision.target)),
    definition("Reward / risk", decision.reward_risk.toFixed(2)),
  );
}

function reasons(decision: DecisionOut): Node | null {
  if (decision.reasons.length === 0) return null;
  const items = decision.reasons.map((reason) =>
    el(
      "li",
      "",
      el("strong", "", title(reason.reason)),
      el("p", "", `${reason.meaning}.`),
      facts(reason.context),
    ),
  );
  return section("Why it was refused", el("ul", "reasons", ...items));
}

function evidence(decision: DecisionOut): Node {
  return section("Evidence", el("ol", "evidence", ...decision.evidence.map(fact)));
}

function fact(item: EvidenceOut): HTMLElement {
  const range = item.low === item.high ? price(item.low) : `${price(item.low)} to ${price(item.high)}`;
  const side = item.direction > 0 ? "bullish" : "bearish";
  const times = `formed ${momentOfSeconds(item.formed_at)}, known ${momentOfSeconds(item.confirmed_at)}`;
  const role = title(item.role) === title(item.kind) ? "" : ` as ${item.role.replaceAll("_", " ")}`;
  return el(
    "li",
    "",
    el("strong", "", title(item.kind)),
    `${role}, ${side}, ${item.timeframe} `,
    el("span", "num", range),
    el("span", "note", `${times} · event ${item.event_id}`),
  );
}

function limits(decision: DecisionOut): Node | null {
  const list = facts(decision.limits);
  return list && section("Limits at that moment", list);
}

function life(orders: OrderOut[]): Node | null {
  if (orders.length === 0) return null;
  const items = orders.map((order) =>
    el(
      "li",
      "",
      el("strong", "", title(order.purpose)),
      ` ${order.side} ${order.quantity}${order.price ? ` at ${price(order.price)}` : ""}: ${order.state.replaceAll("_", " ")}`,
      el("span", "note", `${moment(order.updated_at)}${order.reason ? ` · ${order.reason}` : ""}`),
    ),
  );
  return section("Orders", el("ul", "evidence", ...items));
}

function outcome(trade: TradeOut | undefined): Node | null {
  if (!trade) return null;
  return section(
    "Result",
    el(
      "dl",
      "pairs four",
      definition("Entered", price(trade.entry_price)),
      definition("Left", price(trade.exit_price)),
      definition("Fees", signed(String(-Number(trade.fees)))),
      definition("Net", signed(trade.net_pnl), tone(trade.net_pnl)),
    ),
  );
}

function facts(entries: Record<string, string>): HTMLElement | null {
  const pairs = Object.entries(entries);
  if (pairs.length === 0) return null;
  return el("dl", "facts", ...pairs.map(([name, value]) => definition(title(name), value, "num")));
}

function section(heading: string, ...children: (Node | null)[]): HTMLElement {
  return el("section", "", el("h3", "", heading), ...children);
}
