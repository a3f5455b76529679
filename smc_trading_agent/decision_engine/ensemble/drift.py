"""Whether the present still resembles training: the inputs by their distribution, each expert by its log-loss.

Inputs: for each column the population stability index, PSI = sum((q - p) * ln(q / p)) over the bins between training
quantiles, p the shares in training, q those of recent closes (a close counts exp(-age / memory)).
Experts: a one-sided CUSUM of what a vote lost beyond what chance would have, S <- max(0, S + z - slack), z in
standard deviations above the out-of-fold mean, at most `LARGEST_Z`: one surprise is not drift. Above its limit the
expert is dropped, back at 0 it counts again; S is kept below twice the limit, so that there is a way back.
"""

from __future__ import annotations

import math

import msgspec
import numpy as np
from numpy.typing import NDArray

from smc_trading_agent._core import FEATURE_NAMES
from smc_trading_agent.decision_engine.ensemble.inputs import Floats
from smc_trading_agent.decision_engine.ensemble.odds import log_loss
from smc_trading_agent.decision_engine.ensemble.parameters import ColumnReference, DriftReference, LossReference
from smc_trading_agent.domain.reasons import DriftLevel
from smc_trading_agent.domain.types import DriftHealth

SMALLEST_SHARE = 1e-3
SHOWN_COLUMNS = 10
JUDGED_EVERY = 64
LARGEST_Z = 3.0


class DriftState(msgspec.Struct):
    """Bin counts as bytes, closes seen, sums by expert, and what followed from them."""

    counts: bytes = b""
    closes: int = 0
    level: DriftLevel = DriftLevel.NONE
    drifted: tuple[int, ...] = ()
    sums: dict[str, float] = {}
    dropped: set[str] = set()


class DriftWatch:
    """Follows inputs and experts in constant memory; see the module for the formulas."""

    def __init__(self, reference: DriftReference) -> None:
        self._reference = reference
        bins = 1 + max(len(column.edges) for column in reference.columns)
        self._edges = np.full((len(reference.columns), bins - 1), np.inf)
        self._shares = np.full((len(reference.columns), bins), 0.0)
        for place, column in enumerate(reference.columns):
            self._edges[place, : len(column.edges)] = column.edges
            self._shares[place, : len(column.shares)] = column.shares
        self._shares = np.maximum(self._shares, SMALLEST_SHARE)
        self._used = np.arange(bins) <= np.array([len(column.edges) for column in reference.columns])[:, None]
        self._rows = np.arange(len(reference.columns))
        self._keep = math.exp(-1.0 / reference.memory)
        self._counts: Floats = np.zeros_like(self._shares)
        self._judged: Floats = np.zeros(len(reference.columns))
        self._state = DriftState(sums=dict.fromkeys(reference.losses, 0.0))

    @property
    def level(self) -> DriftLevel:
        """What the inputs ask for."""
        return self._state.level

    @property
    def drifted_columns(self) -> tuple[int, ...]:
        """Columns above the limit when last judged."""
        return self._state.drifted

    @property
    def dropped(self) -> frozenset[str]:
        """Experts that are not to be counted."""
        return frozenset(self._state.dropped)

    def on_close(self, features: Floats) -> None:
        """Takes note of a close's features (F,); judged at every `JUDGED_EVERY`-th close."""
        self._counts *= self._keep
        self._counts[self._rows, (features[:, None] > self._edges).sum(axis=1)] += 1.0
        self._state.closes += 1
        if self._state.closes % JUDGED_EVERY == 0:
            self._judge()

    def stability(self) -> Floats:
        """PSI of each column (F,), 0 before half of the memory is filled."""
        total = float(self._counts[0].sum())
        if total < self._reference.memory / 2.0:
            return np.zeros(len(self._counts))
        live = np.maximum(self._counts / total, SMALLEST_SHARE)
        parts = (live - self._shares) * np.log(live / self._shares)
        return np.asarray(np.where(self._used, parts, 0.0).sum(axis=1))

    def on_label(self, expert: str, probability: float, chance: float, outcome: float) -> None:
        """Learns what a vote was worth: its P(win), the P that chance alone gives, and the outcome in [0, 1]."""
        state, rule, normal = self._state, self._reference, self._reference.losses[expert]
        excess = log_loss(probability, outcome) - log_loss(chance, outcome)
        z = min((excess - normal.mean) / normal.deviation, LARGEST_Z)
        total = min(max(0.0, state.sums[expert] + z - rule.cusum_slack), 2.0 * rule.cusum_limit)
        state.sums[expert] = total
        if total > rule.cusum_limit:
            state.dropped.add(expert)
        elif total == 0.0:
            state.dropped.discard(expert)

    def health(self) -> DriftHealth:
        """What it saw when it last judged; callable from any thread."""
        state, judged = self._state, self._judged
        largest = np.argsort(-judged, kind="stable")[:SHOWN_COLUMNS].tolist()
        return DriftHealth(
            level=state.level.value,
            columns={FEATURE_NAMES[place]: float(judged[place]) for place in largest},
            column_limit=self._reference.psi_limit,
            drifted=len(state.drifted),
            of=len(judged),
            experts=dict(state.sums),
            expert_limit=self._reference.cusum_limit,
        )

    def snapshot(self) -> bytes:
        """The whole state."""
        self._state.counts = self._counts.tobytes()
        return msgspec.msgpack.encode(self._state)

    def restore(self, data: bytes) -> None:
        """Continues exactly from a snapshot."""
        self._state = msgspec.msgpack.decode(data, type=DriftState)
        self._counts = np.frombuffer(self._state.counts).reshape(self._shares.shape).copy()
        self._judged = self.stability()

    def _judge(self) -> None:
        self._judged = self.stability()
        drifted = np.flatnonzero(self._judged > self._reference.psi_limit)
        share = drifted.size / len(self._counts)
        self._state.drifted = tuple(drifted.tolist())
        if share >= self._reference.stop_share:
            self._state.level = DriftLevel.STOP
        elif share >= self._reference.shrink_share:
            self._state.level = DriftLevel.SHRINK
        else:
            self._state.level = DriftLevel.NONE


def fit_column_reference(rows: NDArray[np.float64], bins: int = 10) -> tuple[ColumnReference, ...]:
    """Edges at the quantiles of training closes (n, F), each value once, with the shares of rows between them."""
    references = []
    for column in rows.T:
        edges = np.unique(np.quantile(column, np.arange(1, bins) / bins))
        counts = np.bincount((column[:, None] > edges).sum(axis=1), minlength=edges.size + 1)
        references.append(ColumnReference(tuple(edges.tolist()), tuple((counts / column.size).tolist())))
    return tuple(references)


def fit_loss_reference(probabilities: Floats, chances: Floats, outcomes: Floats) -> LossReference:
    """Mean and deviation of an expert's out-of-fold log-loss beyond that of chance; all (n,), n at least 2."""
    rows = zip(probabilities.tolist(), chances.tolist(), outcomes.tolist(), strict=True)
    excess = np.array([log_loss(p, y) - log_loss(chance, y) for p, chance, y in rows])
    # An expert that always says what chance says has no spread; any loss beyond chance then counts heavily.
    return LossReference(float(excess.mean()), max(float(excess.std(ddof=1)), 1e-3))
