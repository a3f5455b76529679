"""What every kind of model gives once it is fitted, and what it is fitted with."""

from __future__ import annotations

from typing import Protocol

from smc_trading_agent.decision_engine.ensemble.inputs import Normaliser
from smc_trading_agent.decision_engine.ensemble.manifest import ExpertKind
from smc_trading_agent.decision_engine.training.samples import Floats, Labels, Samples, Trades


class ExportedExpert(Protocol):
    """A model as a bundle holds it."""

    @property
    def name(self) -> str:
        """As it is called in the bundle."""
        ...

    @property
    def kind(self) -> ExpertKind:
        """How it is served."""
        ...

    def export(self) -> bytes:
        """The file of the bundle: ONNX, or JSON for a logistic model."""
        ...


class FittedExpert(ExportedExpert, Protocol):
    """A model that says raw log-odds of a win."""

    def log_odds(self, samples: Samples) -> Floats:
        """Raw log-odds (n,), each from what was known at its setup's close."""
        ...


class ExpertFitter(Protocol):
    """Fits one kind of model on one fold's training rows; the same seed and rows give the same model."""

    def __call__(
        self, samples: Samples, labels: Labels, trades: Trades, normaliser: Normaliser, seed: int
    ) -> FittedExpert:
        """``normaliser`` was fitted on the same training rows."""
        ...
