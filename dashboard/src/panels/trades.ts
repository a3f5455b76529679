// Completed trades, newest first.

import { byId, el, panelHead, renderOnce } from "../dom";
import { count, moment, percent, price, signed, title, tone } from "../format";
import type { Change, Model } from "../model";
import type { TradeOut } from "../wire";
import { type Column, table } from "./tables";

const MAX_ROWS = 40;

export class Trades {
  private readonly body = el("div", "panel-body scroll");
  private readonly summary = el("span", "note");
  private readonly columns: Column<TradeOut>[];

  constructor(
    private readonly model: Model,
    onDecision: (id: string) => void,
  ) {
    byId("trades").append(panelHead("Trades", "trades-title", this.summary), this.body);
    this.columns = [
      { name: "Closed", cell: (trade) => link(moment(trade.exit_time), () => onDecision(trade.decision_id)) },
      { name: "Side", cell: (trade) => (trade.side === "buy" ? "Long" : "Short") },
      { name: "Entry", numeric: true, wide: true, cell: (trade) => price(trade.entry_price) },
      { name: "Exit", numeric: true, wide: true, cell: (trade) => price(trade.exit_price) },
      { name: "By", cell: (trade) => title(trade.closed_by) },
      { name: "Net", numeric: true, cell: (trade) => signed(trade.net_pnl), tone: (trade) => tone(trade.net_pnl) },
    ];
  }

  update(change: Change): void {
    if (!change.trades && !change.reset) return;
    const { trades, counts } = this.model;
    const won = trades.filter((trade) => Number(trade.net_pnl) > 0).length;
    const all = counts?.trades ?? trades.length;
    this.summary.textContent = trades.length > 0 ? `${count(all)} closed, ${percent(won / trades.length, 0)} of the last ${count(trades.length)} won` : "";
    renderOnce(this.body, `${all} ${trades.length}`, () => [
      trades.length > 0
        ? table("Completed trades, newest first", this.columns, trades.slice(-MAX_ROWS).reverse())
        : el("p", "empty", "No trade has been completed yet."),
    ]);
  }
}

function link(text: string, onClick: () => void): HTMLElement {
  const button = el("button", { class: "link num", title: "Show the decision", attrs: { type: "button" } }, text);
  button.addEventListener("click", onClick);
  return button;
}
