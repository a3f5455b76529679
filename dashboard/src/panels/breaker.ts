// The circuit breaker with its newest changes, what has been refused and why, and the state of the record.

import { byId, definition, el, panelHead, renderOnce } from "../dom";
import { count, moment, title } from "../format";
import type { Model } from "../model";

const CHANGES_SHOWN = 6;
const REFUSALS_SHOWN = 6;

export class Breaker {
  private readonly body = el("div", "panel-body");

  constructor(private readonly model: Model) {
    byId("breaker").append(panelHead("Safety", "breaker-title"), this.body);
  }

  update(): void {
    const { status, counts, breakerChanges } = this.model;
    if (!status || !counts) return;
    const refusals = Object.entries(counts.refusals).sort((a, b) => b[1] - a[1]);
    const age = status.data_age_seconds;
    const ageText = age === null ? "no data yet" : `${age.toFixed(age < 10 ? 1 : 0)} s old`;
    const version = JSON.stringify([status.breaker_state, ageText, status.journal_length, refusals, breakerChanges.length]);
    renderOnce(this.body, version, () => [
      el(
        "dl",
        "pairs three",
        definition("Circuit breaker", title(status.breaker_state), { closed: "up", half_open: "warn", open: "down" }[status.circuit_breaker]),
        definition("Market data", ageText),
        definition("Journal", `${count(status.journal_length)} facts`),
      ),
      el("h3", "", "Changes of the breaker"),
      breakerChanges.length === 0
        ? el("p", "empty", "It has not changed since this process started.")
        : el("ol", "changes", ...breakerChanges.slice(-CHANGES_SHOWN).reverse().map((change) =>
            el(
              "li",
              "",
              el("span", "num", moment(change.time)),
              el("span", "", `${title(change.before)} → ${title(change.after)}`),
              el("span", "note", `${title(change.cause)}${change.detail ? `: ${change.detail}` : ""}`),
            ),
          )),
      el("h3", "", "Refusals by reason"),
      refusals.length === 0
        ? el("p", "empty", "Nothing has been refused.")
        : el("dl", "facts", ...refusals.slice(0, REFUSALS_SHOWN).map(([reason, times]) => definition(title(reason), count(times), "num"))),
    ]);
  }
}
