"""All kinds of models that can be fitted, by the name they have in a bundle."""

from __future__ import annotations

from typing import Any

from smc_trading_agent.decision_engine.training.logistic import fit_logistic
from smc_trading_agent.decision_engine.training.lstm import fit_lstm
from smc_trading_agent.decision_engine.training.transformer import fit_transformer
from smc_trading_agent.decision_engine.training.trees import fit_trees

FITTERS: dict[str, Any] = {"logistic": fit_logistic, "lightgbm": fit_trees, "lstm": fit_lstm, "transformer": fit_transformer}
