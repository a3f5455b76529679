"""The files of a bundle that say how its experts are combined and watched: ``ensemble.json`` and ``drift.json``."""

from __future__ import annotations

import math

import msgspec

from smc_trading_agent.decision_engine.ensemble.calibrators import PlattCalibrator
from smc_trading_agent.decision_engine.ensemble.conformal import ConformalState
from smc_trading_agent.decision_engine.ensemble.pooling import PoolParameters, PoolState


class EnsembleParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file ``ensemble.json``. More ``max_disagreement`` (standard deviation of log-odds) than this abstains."""

    pool: PoolParameters
    weights: PoolState
    recalibration: PlattCalibrator
    conformal: ConformalState
    max_disagreement: float

    def __post_init__(self) -> None:
        if not self.max_disagreement > 0.0 or not math.isfinite(self.max_disagreement):
            raise ValueError(f"max_disagreement must be a number above 0, found {self.max_disagreement}")


class ColumnReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Training quantiles of one feature: ascending inner ``edges``, and the ``shares`` of rows in each bin."""

    edges: tuple[float, ...]
    shares: tuple[float, ...]

    def __post_init__(self) -> None:
        ascending = all(low < high for low, high in zip(self.edges, self.edges[1:], strict=False))
        if not ascending or len(self.shares) != len(self.edges) + 1 or min(self.shares) < 0.0:
            raise ValueError("a column's reference needs ascending edges and one share more than edges")


class LossReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Out-of-fold log-loss of one expert beyond that of chance, in nats: mean and standard deviation a label."""

    mean: float
    deviation: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and math.isfinite(self.deviation) and self.deviation > 0.0):
            raise ValueError(f"a loss reference needs a finite mean and a deviation above 0, found {self}")


class DriftReference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file ``drift.json``: what was normal in training, and when it is no more.

    ``memory``: closes after which a live row counts 1/e. ``psi_limit``: a column above it has drifted (0.25 is
    the usual reading of a population stability index). Of all columns, ``shrink_share`` drifted ones put
    the weights back to equal, ``stop_share`` put the ensemble to rest. ``cusum_slack`` and ``cusum_limit`` are in
    standard deviations of an expert's excess loss.
    """

    columns: tuple[ColumnReference, ...]
    losses: dict[str, LossReference]
    memory: float = 2_000.0
    psi_limit: float = 0.25
    shrink_share: float = 0.3
    stop_share: float = 0.6
    cusum_slack: float = 0.25
    cusum_limit: float = 12.0
