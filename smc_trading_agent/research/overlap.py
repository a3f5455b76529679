"""How much of a run lies in the time that its models were trained on, in words; nothing there is out of sample."""

from __future__ import annotations

import msgspec

from smc_trading_agent.decision_engine.ensemble.manifest import TrainingRange
from smc_trading_agent.domain.clock import utc_text


class ModelsUsed(msgspec.Struct, frozen=True):
    """The bundle that judged a run, the share of the run's time that it was trained on, and what follows from that."""

    bundle: str
    trained_from: int
    trained_to: int
    overlap: float
    warning: str


def models_used(bundle: str, trained: TrainingRange, first: int, last: int) -> ModelsUsed:
    """``first`` and ``last`` are the run's, in ns."""
    shared = max(0, min(last, trained.end) - max(first, trained.start))
    overlap = shared / max(1, last - first)
    return ModelsUsed(bundle, trained.start, trained.end, overlap, _warning(trained, last, overlap))


def _warning(trained: TrainingRange, last: int, overlap: float) -> str:
    if overlap == 0.0:
        return ""
    span = f"{utc_text(trained.start)} to {utc_text(trained.end)}"
    ahead = (
        f"only what comes after {utc_text(trained.end)} is out of sample"
        if trained.end < last
        else "nothing here comes after the training"
    )
    return (
        f"NOT OUT OF SAMPLE: {overlap:.0%} of this run lies in the time that the bundle was trained on ({span}); what "
        f"models earn on what they were fitted on says nothing of what they will earn, and {ahead}. The bundle's "
        "model_card.md has its figures out of fold."
    )
