"""Tells a decision's story from the journal: what was seen, what was believed, what was allowed, what happened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from smc_trading_agent._core import Instrument
from smc_trading_agent.domain.errors import NotFound
from smc_trading_agent.domain.ids import content_id
from smc_trading_agent.domain.reasons import REFUSAL_MEANINGS
from smc_trading_agent.domain.types import (
    Approval,
    Decision,
    Evidence,
    Forecast,
    Intent,
    OrderEvent,
    Refusal,
    SessionStart,
    StageFailure,
    Vote,
)
from smc_trading_agent.persistence.journal import Fact, SqliteJournal
from smc_trading_agent.runtime.state_dir import JOURNAL_FILE

LAST = "last"
SIDES = {1: "buy", -1: "sell"}
TYPES: dict[str, type[msgspec.Struct]] = {
    "decision": Decision,
    "approval": Approval,
    "refusal": Refusal,
    "order_event": OrderEvent,
    "exit_intent": Intent,
    "stage_failure": StageFailure,
}


class Explanation(msgspec.Struct, frozen=True):
    """A decision's story as titled lines, with the facts it was told from."""

    headline: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    facts: tuple[dict[str, Any], ...]
    journal: str

    def as_mapping(self) -> dict[str, object]:
        """For JSON."""
        return {
            "headline": self.headline,
            "sections": {title: list(lines) for title, lines in self.sections},
            "facts": list(self.facts),
            "journal": self.journal,
        }


def journals_under(root: Path) -> list[Path]:
    """Journals of all accounts kept below ``root``, the newest first."""
    return sorted(root.glob(f"*/{JOURNAL_FILE}"), key=lambda path: path.stat().st_mtime, reverse=True)


def explain_in(files: Sequence[Path], wanted: str, root: Path) -> Explanation:
    """Looks for ``wanted`` in each journal in turn; raises `NotFound` with where it looked."""
    for file in files:
        if not file.is_file():
            raise NotFound(f"{file} does not exist; run the agent first, or name another --journal")
        with SqliteJournal(file) as journal:
            decision_id = _decision_of(journal, wanted)
            if decision_id:
                return _story(journal, decision_id)
    where = ", ".join(str(file) for file in files) or f"{root} (no journal there)"
    raise NotFound(
        f"nothing is recorded under {wanted!r} in {where}; ids are printed by the page and by "
        f"`smc-agent explain {LAST}`, and --state-dir or --journal names other places"
    )


def _decision_of(journal: SqliteJournal, wanted: str) -> str:
    """The decision that an id of any kind belongs to, empty where there is none."""
    if wanted == LAST:
        return journal.last_ref("decision")
    candidates = (wanted, wanted.rsplit("-", 1)[0], content_id("d", wanted))
    for candidate in candidates:
        if next(journal.facts(ref=candidate), None) is not None:
            return candidate
    for fact in journal.facts(kind="order_event"):
        if wanted.encode() in fact.payload and msgspec.json.decode(fact.payload, type=OrderEvent).trade_id == wanted:
            return fact.ref
    return ""


def _story(journal: SqliteJournal, decision_id: str) -> Explanation:
    first = next(journal.facts(kind="session"))
    session = msgspec.json.decode(first.payload, type=SessionStart)
    teller = _Teller(Instrument(session.venue, session.symbol, session.tick_size, session.lot_size))
    facts = list(journal.facts(ref=decision_id))
    for fact in facts:
        teller.tell(fact)
    shown = tuple({"seq": fact.seq, "kind": fact.kind, **msgspec.json.decode(fact.payload)} for fact in facts)
    headline = f"{decision_id}: {teller.outcome} ({session.market}, {session.mode})"
    return Explanation(
        headline, tuple((title, tuple(lines)) for title, lines in teller.sections.items()), shown, journal.path
    )


class _Teller:
    """Collects titled lines from facts."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self.sections: dict[str, list[str]] = {}
        self.outcome = "no outcome recorded"

    def tell(self, fact: Fact) -> None:
        """Adds what a fact says."""
        kind = TYPES.get(fact.kind)
        if kind is None:
            return
        told = msgspec.json.decode(fact.payload, type=kind)
        if isinstance(told, Decision):
            self._decision(told)
        elif isinstance(told, Refusal):
            self._refusal(told)
        elif isinstance(told, Approval):
            self._approval(told)
        elif isinstance(told, OrderEvent):
            self._order_event(told)
        elif isinstance(told, Intent):
            self._add("Exit", f"{time_text(told.created_at)} {told.reason}")
        elif isinstance(told, StageFailure):
            self._add("Failure", f"{time_text(told.time)} {told.stage}: {told.error}")

    def _add(self, title: str, *lines: str) -> None:
        self.sections.setdefault(title, []).extend(lines)

    def _decision(self, decision: Decision) -> None:
        setup, price = decision.setup, self._instrument.format_price
        self._add(
            "Setup",
            f"{setup.kind.value} {SIDES[setup.side]} on {setup.instrument} {setup.timeframe}, "
            f"known at {time_text(setup.detected_at)}",
            f"entry {price(setup.entry)}, stop {price(setup.stop)}, target {price(setup.target)} "
            f"(reward {setup.reward_ticks / setup.risk_ticks:.2f} times the risk)",
            f"bias of the higher timeframe: {'up' if setup.higher_timeframe_bias > 0 else 'down'}",
        )
        self._add("Evidence", *(self._evidence(item) for item in setup.evidence))
        forecast = decision.forecast
        if forecast is None:
            return
        self._add(
            "Forecast",
            f"P(win) {forecast.probability:.4f} against break-even {forecast.break_even:.4f} after costs "
            f"(chance alone {forecast.chance:.4f})",
            f"by {forecast.source}: {forecast.wins:.1f} wins in {forecast.samples} setups of this kind that had ended",
        )
        if forecast.size_multiplier != 1.0:
            self._add("Forecast", f"the policy takes {forecast.size_multiplier:g} of the size that the limits allow")
        if forecast.bundle:
            self._models(forecast)

    def _models(self, forecast: Forecast) -> None:
        decided = "drift has put the models to rest; base rates decided"
        if forecast.prediction_set is not None:
            decided = (
                f"conformal set {{{forecast.prediction_set.value}}}, disagreement {forecast.disagreement:.4f} "
                "(standard deviation of log-odds)"
            )
        self._add("Models", f"bundle {forecast.bundle}: {decided}", *(_vote_text(vote) for vote in forecast.votes))
        if forecast.top_features:
            self._add(
                "Features",
                *(
                    f"{share.column} = {share.value:.4g}: {share.log_odds:+.4f} log-odds in {forecast.explained_by}"
                    for share in forecast.top_features
                ),
            )

    def _evidence(self, item: Evidence) -> str:
        price = self._instrument.format_price
        where = price(item.low) if item.low == item.high else f"{price(item.low)} to {price(item.high)}"
        return (
            f"{item.role}: {item.kind} {item.timeframe} #{item.event_id} at {where}, "
            f"formed {time_text(item.formed_at)}, known {time_text(item.confirmed_at)}"
        )

    def _refusal(self, refusal: Refusal) -> None:
        self.outcome = "refused: " + ", ".join(detail.reason.value for detail in refusal.details)
        for detail in refusal.details:
            numbers = ", ".join(f"{key}={value}" for key, value in detail.context.items())
            self._add("Refused", f"{detail.reason.value}: {REFUSAL_MEANINGS[detail.reason]} ({numbers})")

    def _approval(self, approval: Approval) -> None:
        self.outcome = "taken"
        self._add("Limits", *(f"{name.replace('_', ' ')}: {value}" for name, value in approval.limits.items()))
        for order in approval.orders:
            quantity, price = self._instrument.format_quantity(order.quantity), self._instrument.format_price(
                order.price
            )
            self._add("Orders", f"{order.client_order_id}: {order.kind} {SIDES[order.side]} {quantity} at {price}")

    def _order_event(self, event: OrderEvent) -> None:
        line = f"{time_text(event.time)} {event.purpose.value}: {event.event} -> {event.state}"
        if event.trade_id:
            self._add(
                "Fills",
                f"{time_text(event.time)} {event.purpose.value}: {SIDES[event.side]} "
                f"{self._instrument.format_quantity(event.quantity)} at {self._instrument.format_price(event.price)}, "
                f"fee {self._instrument.format_quote(event.fee)} ({event.liquidity}), trade {event.trade_id}",
            )
        self._add("Order events", line + (f" ({event.reason})" if event.reason else ""))


def _vote_text(vote: Vote) -> str:
    if vote.probability is None:
        return f"{vote.expert}: {vote.status.value}"
    return f"{vote.expert}: P(win) {vote.probability:.4f}, weight {vote.weight:.3f} ({vote.status.value})"


def time_text(time_ns: int) -> str:
    """A market time for people."""
    return f"{datetime.fromtimestamp(time_ns / 1e9, tz=UTC):%Y-%m-%d %H:%M:%S}"
