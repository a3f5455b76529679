"""What a journal says of the past: a hash over all orders, and the past retold to a listener after a restart."""

from __future__ import annotations

import hashlib

import msgspec

from smc_trading_agent.domain.ports import Listener
from smc_trading_agent.domain.types import Approval, BreakerChange, Decision, OrderEvent, Refusal
from smc_trading_agent.persistence.journal import SqliteJournal

OUTCOMES: dict[str, type[Approval] | type[Refusal]] = {"approval": Approval, "refusal": Refusal}


def orders_hash(journal: SqliteJournal) -> str:
    """Hash over every step of every order, as journalled: equal hashes mean the same orders with the same fills."""
    digest = hashlib.blake2b(digest_size=16)
    for fact in journal.facts(kind="order_event"):
        digest.update(fact.payload)
    return digest.hexdigest()


def retell(journal: SqliteJournal, listener: Listener, count: int) -> None:
    """Tells a listener the first ``count`` facts, which a restart did not live through."""
    decision: Decision | None = None
    for fact in journal.facts():
        if fact.seq > count:
            return
        if fact.kind == "order_event":
            listener.on_order_event(msgspec.json.decode(fact.payload, type=OrderEvent))
        elif fact.kind == "breaker":
            listener.on_breaker(msgspec.json.decode(fact.payload, type=BreakerChange))
        elif fact.kind == "decision":
            decision = msgspec.json.decode(fact.payload, type=Decision)
        elif fact.kind in OUTCOMES and decision is not None and fact.ref == decision.decision_id:
            listener.on_decision(decision, msgspec.json.decode(fact.payload, type=OUTCOMES[fact.kind]))
            decision = None
