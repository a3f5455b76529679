// The account at a glance.

import { byId, el, setText } from "../dom";
import { count, duration, money, percent, signed, tone } from "../format";
import type { Model } from "../model";

class Stat {
  readonly node: HTMLElement;
  private readonly value = el("span", "stat-value", "–");
  private readonly note = el("span", "stat-note");

  constructor(name: string, hint: string) {
    this.node = el("div", { class: "stat", title: hint }, el("span", "stat-name", name), this.value, this.note);
  }

  set(value: string, note: string, valueTone = ""): void {
    setText(this.value, value);
    setText(this.note, note);
    this.value.className = `stat-value ${valueTone}`;
  }
}

/** The equity that the account began with: what it is worth now, less all it has won or lost. */
export function startEquity(model: Model): number | null {
  const account = model.account;
  if (!account) return null;
  const won = Number(account.realised_pnl) - Number(account.fees) + Number(account.unrealised_pnl);
  return Number(account.equity) - won;
}

export class Stats {
  private readonly equity = new Stat("Equity", "Cash and the open position at the last close");
  private readonly pnl = new Stat("Profit and loss", "Since the account began, after fees");
  private readonly drawdown = new Stat("Drawdown", "Share lost from the highest equity so far");
  private readonly open = new Stat("Open position", "Profit or loss of the open position at the last close");
  private readonly decisions = new Stat("Decisions", "Setups judged since the process started");
  private readonly latency = new Stat("Latency p99", "Market event to order, 99 of 100 decisions are at least this fast");

  constructor() {
    const all = [this.equity, this.pnl, this.drawdown, this.open, this.decisions, this.latency];
    byId("stats").append(...all.map((stat) => stat.node));
  }

  update(model: Model): void {
    const { account, counts, status } = model;
    const start = startEquity(model);
    if (account && start !== null) {
      const won = Number(account.equity) - start;
      this.equity.set(money(account.equity), `began with ${money(String(start))}`);
      this.pnl.set(signed(String(won)), percent(won / start, 2, true), tone(String(won)));
      this.drawdown.set(percent(account.drawdown, 2), `worst ${percent(account.max_drawdown, 2)}`);
      const position = model.positions[0];
      if (position) {
        this.open.set(signed(position.unrealised_pnl), `${position.side} ${position.quantity}`, tone(position.unrealised_pnl));
      } else this.open.set("Flat", account.open_orders > 0 ? `${account.open_orders} orders working` : "no order working");
    }
    if (counts) this.decisions.set(count(counts.decisions), `${count(counts.taken)} taken, ${count(counts.refused)} refused`);
    const total = model.latency.find((row) => row.component === "total");
    if (total && status) {
      const within = total.p99_ms <= status.target_ms;
      this.latency.set(duration(total.p99_ms), `target ${duration(status.target_ms)}`, total.count > 0 && !within ? "down" : "");
    }
  }
}
