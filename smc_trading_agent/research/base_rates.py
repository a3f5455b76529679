"""How often each reading of the detector is followed by what it is said to mean, beside what chance alone gives.

The tests are those of `crates/smc-core/src/study/`, told by the shape of a record. Each market is measured once,
then on surrogates of itself in two forms: shuffled (nothing is left but the shapes of its bars) and mirrored (their
order is kept, so that volatility clusters and follows the clock as it did; only direction is lost). A rate that
differs from the first and not from the second says something of volatility, not of direction.

The interval is Wilson's, on the effective number of outcomes instead of their number: records cluster and their
races overlap. A block bootstrap would do the same for the frequent kinds, but fails for rare ones, where it
resamples the same few outcomes; Wilson's interval stays wide there, and inside 0 to 1.
"""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import msgspec

from smc_trading_agent._core import (
    DETECTOR_DEFAULTS,
    Bars,
    HitCount,
    divergence_counts,
    hit_counts,
    surrogate_bars,
)
from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.research.pairs import Pair

SURROGATES = ("shuffled", "mirrored")
Z_95 = statistics.NormalDist().inv_cdf(0.975)
WORKERS = 2


class Study(msgspec.Struct, frozen=True):
    """How rates are measured. ``detector`` is the setting `structure.detector`; lengths in bars."""

    surrogates: int = 30
    seed: int = 1
    atr_multiple: float = 1.0
    time_limit: int = 500
    block: int = 200
    detector: dict[str, object] = {}


class Baseline(msgspec.Struct, frozen=True):
    """The rate over surrogates: mean and standard deviation, and how many of those the rate lies from the mean.

    ``markets`` is the number of surrogates that had such records. None where fewer than two had, or all agree.
    """

    markets: int
    mean: float | None
    deviation: float | None
    z: float | None


class BaseRate(msgspec.Struct, frozen=True):
    """One kind and scope in one market; counts as in `HitCount`, shares in 0..1."""

    kind: str
    scope: str
    test: str
    found: int
    untested: int
    untouched: int
    hits: int
    misses: int
    ambiguous: int
    unresolved: int
    effective: float
    rate: float | None
    low: float | None
    high: float | None
    baselines: dict[str, Baseline]

    @property
    def resolved(self) -> int:
        """Hits and misses: the n of the rate."""
        return self.hits + self.misses


class MarketRates(msgspec.Struct, frozen=True):
    """One market, by the name of its file; times in ns.

    ``beside`` is the second instrument, with its file and label, where rates are those of the two together.
    """

    file: str
    label: str
    instrument: str
    timeframe: str
    bars: int
    first_bar: int
    last_bar: int
    rates: tuple[BaseRate, ...]
    beside: str = ""
    beside_file: str = ""
    beside_label: str = ""


class BaseRateReport(msgspec.Struct, frozen=True):
    """What one run of the command measured, with the command."""

    command: str
    study: Study
    markets: tuple[MarketRates, ...]


def wilson(rate: float, number: float) -> tuple[float, float]:
    """Wilson's 95 % interval of a share seen in ``number`` outcomes (JASA 22, 1927); 0 to 1 without any."""
    if number <= 0:
        return 0.0, 1.0
    square = Z_95 * Z_95 / number
    middle = (rate + square / 2) / (1 + square)
    half = Z_95 / (1 + square) * math.sqrt(rate * (1 - rate) / number + square / (4 * number))
    return max(0.0, middle - half), min(1.0, middle + half)


def measure(bars: Bars, study: Study, progress: Callable[[int], None]) -> tuple[BaseRate, ...]:
    """The rate of each kind and scope that the bars hold; ``progress`` hears how many markets are done.

    Deterministic: threads share nothing, and results are joined in order. `ConfigError` names a bad parameter.
    """
    return _measured(bars, lambda made: _count(made, study), study, progress)


def measure_pair(pair: Pair, study: Study, progress: Callable[[int], None]) -> tuple[BaseRate, ...]:
    """The same for the divergences of two instruments, by what follows on the first.

    In its surrogates the second instrument alone is shuffled or mirrored: the first stays as it is, and what is lost is
    that the two belong together.
    """
    return _measured(pair.second, lambda made: _count_pair(pair, made, study), study, progress)


def _measured(
    varied: Bars, count: Callable[[Bars], list[HitCount]], study: Study, progress: Callable[[int], None]
) -> tuple[BaseRate, ...]:
    """Counts with ``varied`` as it is, then with surrogates in its place."""

    def surrogate(kind: str, number: int) -> tuple[str, dict[tuple[str, str], float]]:
        counts = count(surrogate_bars(varied, kind, study.seed, number))
        resolved = (found for found in counts if found.hits + found.misses)
        return kind, {(found.kind, found.scope): found.hits / (found.hits + found.misses) for found in resolved}

    try:
        real = count(varied)
        progress(1)
        tasks = [(kind, number) for kind in SURROGATES for number in range(study.surrogates)]
        rates: dict[str, dict[tuple[str, str], list[float]]] = {kind: {} for kind in SURROGATES}
        with ThreadPoolExecutor(WORKERS) as pool:
            for done, (kind, counted) in enumerate(pool.map(lambda task: surrogate(*task), tasks)):
                for key, rate in counted.items():
                    rates[kind].setdefault(key, []).append(rate)
                progress(done + 2)
    except (ValueError, OverflowError) as error:
        raise ConfigError(f"these rates can't be measured: {error}") from error
    return tuple(
        _rate(found, {kind: rates[kind].get((found.kind, found.scope), []) for kind in rates}) for found in real
    )


def markets_of(study: Study) -> int:
    """How many markets `measure` goes through: the real one and its surrogates."""
    return 1 + len(SURROGATES) * study.surrogates


def _count(bars: Bars, study: Study) -> list[HitCount]:
    return hit_counts(bars, json.dumps(study.detector), study.atr_multiple, study.time_limit, study.block)


def _count_pair(pair: Pair, second: Bars, study: Study) -> list[HitCount]:
    period = study.detector.get("atr_period", json.loads(DETECTOR_DEFAULTS)["atr_period"])
    return divergence_counts(
        pair.first, second, pair.config, int(str(period)), study.atr_multiple, study.time_limit, study.block
    )


def _rate(count: HitCount, chance: Mapping[str, list[float]]) -> BaseRate:
    resolved = count.hits + count.misses
    rate = count.hits / resolved if resolved else None
    low, high = (None, None) if rate is None else wilson(rate, count.effective)
    return BaseRate(
        kind=count.kind,
        scope=count.scope,
        test=count.test,
        found=count.found,
        untested=count.untested,
        untouched=count.untouched,
        hits=count.hits,
        misses=count.misses,
        ambiguous=count.ambiguous,
        unresolved=count.unresolved,
        effective=round(count.effective, 1),
        rate=_rounded(rate),
        low=_rounded(low),
        high=_rounded(high),
        baselines={kind: baseline(rate, rates) for kind, rates in chance.items()},
    )


def baseline(rate: float | None, rates: list[float]) -> Baseline:
    """What surrogates gave, and how far ``rate`` lies from it."""
    if len(rates) < 2:
        return Baseline(len(rates), None, None, None)
    mean, deviation = statistics.fmean(rates), statistics.stdev(rates)
    z = None if rate is None or deviation == 0.0 else (rate - mean) / deviation
    return Baseline(len(rates), _rounded(mean), _rounded(deviation), None if z is None else round(z, 2))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
