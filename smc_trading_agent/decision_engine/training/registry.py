"""The kinds of experts that there are, by name."""

from __future__ import annotations

from functools import partial

from smc_trading_agent.decision_engine.training.expert import ExpertFitter
from smc_trading_agent.decision_engine.training.logistic import fit_logistic
from smc_trading_agent.decision_engine.training.lstm import fit_lstm
from smc_trading_agent.decision_engine.training.ppo import PpoFitter
from smc_trading_agent.decision_engine.training.settings import TrainingSettings
from smc_trading_agent.decision_engine.training.transformer import fit_transformer
from smc_trading_agent.decision_engine.training.trees import fit_trees


def fitters(settings: TrainingSettings) -> dict[str, ExpertFitter]:
    """Every kind of expert by name, sized by ``settings``. They and what they fit can be sent to another process."""
    return {
        "logistic": partial(fit_logistic, settings=settings),
        "lightgbm": partial(fit_trees, settings=settings),
        "lstm": partial(fit_lstm, settings=settings),
        "transformer": partial(fit_transformer, settings=settings),
        "ppo": PpoFitter(steps=settings.ppo_steps, threads=settings.threads),
    }


FITTERS = fitters(TrainingSettings())
"""With the default sizes."""
