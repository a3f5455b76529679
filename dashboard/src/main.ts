// The page: one model, fed by one connection, shown by panels that draw only what changed.

import { EquityChart } from "./chart/equity";
import { Connection } from "./connection";
import { byId, el, panelHead, setText } from "./dom";
import { Model } from "./model";
import { Breaker } from "./panels/breaker";
import { ChartPanel } from "./panels/chart";
import { Decisions } from "./panels/decisions";
import { Header } from "./panels/header";
import { Latency } from "./panels/latency";
import { Notice } from "./panels/notice";
import { Position } from "./panels/position";
import { startEquity, Stats } from "./panels/stats";
import { Trades } from "./panels/trades";
import { onThemeChange, palette } from "./theme";
import type { ViewState } from "./wire";

const model = new Model();
const header = new Header();
const notice = new Notice(() => connection.retryNow());
const stats = new Stats();
const chart = new ChartPanel(model, palette());
const decisions = new Decisions(model, (decision) => chart.show(decision));
const position = new Position(model, (id) => decisions.open(id));
const trades = new Trades(model, (id) => decisions.open(id));
const latency = new Latency(model);
const breaker = new Breaker(model);

const equityFrame = el("div", { class: "canvas", attrs: { role: "img", "aria-label": "Equity over time" } });
byId("equity").append(panelHead("Equity", "equity-title"), el("div", "canvas-frame", equityFrame));
const equity = new EquityChart(equityFrame, model, palette());

const record = el("span", "num");
byId("footer").append(
  el("span", "", "Times are UTC. Amounts are simulated."),
  record,
  el(
    "span",
    "",
    "Charts: TradingView Lightweight Charts™, © 2025 ",
    el("a", { attrs: { href: "https://www.tradingview.com/", rel: "noopener noreferrer", target: "_blank" } }, "TradingView, Inc."),
  ),
);

function receive(state: ViewState): void {
  const change = model.apply(state);
  header.update(model);
  notice.update(model);
  stats.update(model);
  chart.update(change);
  equity.update(change, startEquity(model));
  decisions.update(change);
  position.update();
  trades.update(change);
  latency.update();
  breaker.update();
  setText(record, `Journal ${state.status.journal_hash.slice(0, 12)}`);
}

onThemeChange(() => {
  chart.setTheme(palette());
  equity.setTheme(palette());
});

const connection = new Connection(receive, (state) => {
  header.connectionChanged(state);
  notice.connectionChanged(state);
});
connection.open();
