// The open position with the orders that guard it, and what else is working.

import { byId, definition, el, panelHead, renderOnce } from "../dom";
import { moment, money, price, signed, title, tone } from "../format";
import type { Model } from "../model";
import type { OrderOut, PositionOut } from "../wire";
import { type Column, table } from "./tables";

const COLUMNS: Column<OrderOut>[] = [
  { name: "Order", cell: (order) => title(order.purpose) },
  { name: "Side", cell: (order) => title(order.side) },
  { name: "Quantity", numeric: true, cell: (order) => order.quantity },
  { name: "Price", numeric: true, cell: (order) => (order.price ? price(order.price) : "market") },
  { name: "State", cell: (order) => title(order.state) },
];

export class Position {
  private readonly body = el("div", "panel-body");

  constructor(
    private readonly model: Model,
    private readonly onDecision: (id: string) => void,
  ) {
    byId("position").append(panelHead("Position and orders", "position-title"), this.body);
  }

  update(): void {
    const { positions, orders, account } = this.model;
    const working = orders.filter((order) => order.working);
    const version = JSON.stringify([positions, working.map((order) => [order.client_order_id, order.state, order.filled]), account?.cash]);
    renderOnce(this.body, version, () => [
      ...(positions.length > 0 ? positions.map((position) => this.card(position)) : [el("p", "empty", "No position is open.")]),
      working.length > 0 && table("Working orders", COLUMNS, working),
      account &&
        el(
          "dl",
          "pairs four ruled",
          definition("Cash", money(account.cash)),
          definition("Realised", signed(account.realised_pnl), tone(account.realised_pnl)),
          definition("Fees", money(account.fees)),
          definition("Unknown orders", String(account.unknown_orders), account.unknown_orders > 0 ? "down" : ""),
        ),
    ]);
  }

  private card(position: PositionOut): HTMLElement {
    const side = position.side === "buy" ? "▲ Long" : "▼ Short";
    const since = position.opened_at ? `since ${moment(position.opened_at)}` : "";
    const decision = position.decision_id;
    const link = decision !== null && el("button", { class: "link", attrs: { type: "button" } }, "Why?");
    if (link && decision !== null) link.addEventListener("click", () => this.onDecision(decision));
    return el(
      "div",
      "position-card",
      el(
        "p",
        "position-head",
        el("span", `side ${position.side}`, side),
        el("span", "num", `${position.quantity} ${position.symbol}`),
        el("span", "note", since),
        link,
      ),
      el(
        "dl",
        "pairs five",
        definition("Entry", price(position.entry_price)),
        definition("Mark", price(position.mark_price)),
        definition("Stop", position.stop_price ? price(position.stop_price) : "none"),
        definition("Target", position.target_price ? price(position.target_price) : "none"),
        definition("Open profit", signed(position.unrealised_pnl), tone(position.unrealised_pnl)),
      ),
    );
  }
}
