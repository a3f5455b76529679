"""What fitting needs beside the agent itself: known models, and the packages of the optional extra ``train``."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence

from smc_trading_agent.decision_engine.training.registry import FITTERS
from smc_trading_agent.domain.errors import ConfigError, TrainingError

PACKAGES = {
    "lightgbm": ("lightgbm", "onnx"),
    "lstm": ("torch", "onnx"),
    "transformer": ("torch", "onnx"),
    "ppo": ("torch", "stable_baselines3", "gymnasium", "onnx"),
}
"""What each kind of model is fitted and written with; a logistic model needs none."""


def experts_named(text: str) -> tuple[str, ...]:
    """Kinds of models from a comma-separated list, all where it is empty; `ConfigError` names one that is unknown."""
    named = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip())) or tuple(FITTERS)
    unknown = [name for name in named if name not in FITTERS]
    if unknown:
        raise ConfigError(f"--models: there is no {', '.join(unknown)}; choose from {', '.join(FITTERS)}")
    return named


def need_extra(experts: Sequence[str]) -> None:
    """Raises `TrainingError` where a package that the models are fitted with is not installed."""
    wanted = sorted({package for expert in experts for package in PACKAGES.get(expert, ())})
    absent = [package for package in wanted if importlib.util.find_spec(package) is None]
    if absent:
        raise TrainingError(
            f"{', '.join(experts)} can't be fitted without {', '.join(absent)}: install the optional extra train (make "
            "train-setup, or pip install 'smc-trading-agent[train]'), or fit less with --models logistic"
        )
