"""Which forecaster the settings ask for: the models of a bundle, or base rates alone."""

from __future__ import annotations

from pathlib import Path

from smc_trading_agent.decision_engine.base_rate import BaseRateForecaster
from smc_trading_agent.decision_engine.ensemble.bundle import Use, load_bundle
from smc_trading_agent.decision_engine.ensemble.cache import VoteCache
from smc_trading_agent.decision_engine.ensemble.forecaster import EnsembleForecaster
from smc_trading_agent.decision_engine.ensemble.signing import load_trusted_keys
from smc_trading_agent.domain.clock import Clock
from smc_trading_agent.domain.costs import CostModel
from smc_trading_agent.domain.settings import Settings
from smc_trading_agent.persistence.redis_cache import RedisCache
from smc_trading_agent.runtime.model_registry import PROMOTED, registry_of


def forecaster_of(
    settings: Settings, instrument: str, costs: CostModel, clock: Clock
) -> BaseRateForecaster | EnsembleForecaster:
    """Base rates where `decision.models.bundle` is empty; else the bundle it names, or the promoted one, verified.

    Raises `BundleError` where the bundle can't be trusted, read or used here: nothing falls back in silence.
    """
    base, models = BaseRateForecaster(costs, settings.decision), settings.decision.models
    if not models.bundle:
        return base
    use = Use(instrument, settings.structure.decision_timeframe)
    if models.bundle == PROMOTED:
        bundle = registry_of(models).load_promoted(use)
    else:
        trusted = load_trusted_keys(Path(models.trust_folder))
        bundle = load_bundle(Path(models.bundle), use, trusted, models.allow_unsigned)
    ensemble = settings.performance.ml_ensemble
    behind = RedisCache(ensemble.redis_url) if ensemble.redis_url else None
    cache = VoteCache(clock, ensemble.cache_ttl_seconds, behind)
    return EnsembleForecaster(bundle, base, cache, models, ensemble, instrument=instrument)


def without_deadlines(settings: Settings) -> Settings:
    """The same settings for a run that must come out the same on any machine.

    Every model is waited for, and votes are this process's own.
    """
    models = settings.decision.models.model_copy(update={"deadline_ms": 0.0})
    ensemble = settings.performance.ml_ensemble.model_copy(update={"redis_url": ""})
    return settings.model_copy(
        update={
            "decision": settings.decision.model_copy(update={"models": models}),
            "performance": settings.performance.model_copy(update={"ml_ensemble": ensemble}),
        }
    )
