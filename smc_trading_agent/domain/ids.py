"""Identifiers that are pure functions of what they name, so that the same decision can't get two of them."""

from __future__ import annotations

import hashlib

from smc_trading_agent.domain.reasons import OrderPurpose

CLIENT_ID_LENGTH = 36  # the shortest limit among the venues we speak to
PURPOSE_ENDS = {purpose: f"-{purpose.value}" for purpose in OrderPurpose}


def content_id(prefix: str, *parts: object) -> str:
    """``prefix`` and 20 hex digits of a hash over ``parts``; equal parts give equal ids."""
    text = "\x1f".join(str(part) for part in parts)
    return prefix + hashlib.blake2b(text.encode(), digest_size=10).hexdigest()


def client_order_id(decision_id: str, purpose: OrderPurpose) -> str:
    """The venue-visible id of the order that serves ``purpose`` in a decision; at most 36 characters.

    Raises `ValueError` rather than cutting an id short: two purposes could be left with the same one.
    """
    made = decision_id + PURPOSE_ENDS[purpose]
    if len(made) > CLIENT_ID_LENGTH:
        raise ValueError(f"client order id {made!r} is longer than {CLIENT_ID_LENGTH}; use a shorter decision id")
    return made
