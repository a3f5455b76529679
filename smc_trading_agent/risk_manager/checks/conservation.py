"""Parent and child quantities: checked at the last point before the wire, apart from whatever splits an order.

Knight Capital, 1 August 2012: 212 orders became four million executions, because nothing just before submission
compared what left the router with what had entered it (SEC release 34-70694).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from smc_trading_agent.domain.reasons import RefusalReason
from smc_trading_agent.risk_manager.checks.question import PASS, Refusals, refuse


class ChildOrder(msgspec.Struct, frozen=True):
    """A part of an order that was sent. What may still fill, UNKNOWN included, is ``leaves``."""

    client_order_id: str
    side: int
    filled: int
    leaves: int


def parent_quantity(parent_lots: int, parent_side: int, children: Sequence[ChildOrder], new_lots: int) -> Refusals:
    """Whether another child of ``new_lots`` keeps filled, open and UNKNOWN children within the parent's quantity.

    A child on the other side than its parent, or one that has filled or left fewer than no lots, refuses.
    """
    total = sum(child.filled + child.leaves for child in children) + new_lots
    sound = all(child.side == parent_side and child.filled >= 0 and child.leaves >= 0 for child in children)
    if sound and new_lots >= 1 and total <= parent_lots:
        return PASS
    return refuse(
        RefusalReason.PARENT_QUANTITY, parent=parent_lots, children=len(children), new=new_lots, would_be=total
    )
