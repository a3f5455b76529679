"""What a policy network says beside its vote: how much of the size to take.

The row expert named `POLICY` may give a second number, ``size[1, 1]``, from the same context row. It is read from
a session of its own: the vote's arrays may be in use by a lane while the decision goes on without it.
"""

from __future__ import annotations

import numpy as np

from smc_trading_agent.decision_engine.ensemble.bundle import Bundle
from smc_trading_agent.decision_engine.ensemble.experts import CONTEXT
from smc_trading_agent.decision_engine.ensemble.manifest import ExpertEntry
from smc_trading_agent.decision_engine.ensemble.sessions import BoundGraph, Row, open_session, output_of

POLICY = "ppo"
SIZE = "size"
LEAST_SIZE, FULL_SIZE = 0.25, 1.0


class PolicySizer:
    """The share of the size that the limits allow, in [`LEAST_SIZE`, `FULL_SIZE`], whatever the graph gives."""

    def __init__(self, graph: BoundGraph, context: Row, size: Row) -> None:
        """``graph`` reads ``context`` (1, C) and writes ``size`` (1, 1)."""
        self._graph, self._context, self._size = graph, context, size

    def size(self, context: Row) -> float:
        """For a scaled context row (C,); a value that is no number is the least size."""
        self._context[0] = context
        self._graph.run()
        value = float(self._size.item())
        return min(value, FULL_SIZE) if value >= LEAST_SIZE else LEAST_SIZE


def policy_entry(bundle: Bundle) -> ExpertEntry | None:
    """The manifest's entry of the policy network, None where the bundle has none."""
    return next((one for one in bundle.manifest.experts if one.name == POLICY and one.kind == "row"), None)


def load_sizer(bundle: Bundle) -> PolicySizer | None:
    """The sizer of a bundle, None where its policy gives no size or it has none.

    `BundleError` where the graph doesn't run or its size is no single number.
    """
    entry = policy_entry(bundle)
    if entry is None:
        return None
    session = open_session(entry.file, bundle.contents[entry.file])
    if SIZE not in {node.name for node in session.get_outputs()}:
        return None
    context = np.zeros((1, len(bundle.normaliser.context.centre)), dtype=np.float32)
    size = output_of(session, entry.file, SIZE, {CONTEXT: context})
    return PolicySizer(BoundGraph(session, {CONTEXT: context}, {SIZE: size}), context, size)
