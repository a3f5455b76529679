// How long each stage of a decision takes.

import { byId, el, panelHead, renderOnce, setText } from "../dom";
import { count, duration, title } from "../format";
import type { Model } from "../model";
import type { LatencyOut } from "../wire";
import { type Column, table } from "./tables";

const COLUMNS: Column<LatencyOut>[] = [
  { name: "Stage", cell: (row) => title(row.component) },
  { name: "p50", numeric: true, cell: (row) => duration(row.p50_ms) },
  { name: "p99", numeric: true, cell: (row) => duration(row.p99_ms) },
  { name: "p99.9", numeric: true, wide: true, cell: (row) => duration(row.p999_ms) },
  { name: "Max", numeric: true, cell: (row) => duration(row.max_ms) },
  { name: "Samples", numeric: true, wide: true, cell: (row) => count(row.count) },
];

export class Latency {
  private readonly body = el("div", "panel-body");
  private readonly target = el("span", "note");

  constructor(private readonly model: Model) {
    byId("latency").append(panelHead("Latency by stage", "latency-title", this.target), this.body);
  }

  update(): void {
    const { latency, status } = this.model;
    if (status) setText(this.target, `target ${duration(status.target_ms)} in total`);
    renderOnce(this.body, latency.map((row) => `${row.count} ${row.last_ms}`).join(), () => [
      table("Latency by stage", COLUMNS, latency, (row) => (row.component === "total" ? "total" : "")),
    ]);
  }
}
