"""Base rates are honest: unremarkable where there is nothing to find, and far off where something was planted."""

from __future__ import annotations

import math
from collections.abc import Callable

import msgspec
import numpy as np
import pytest

from smc_trading_agent._core import Bar, Bars, aggregate_bars, surrogate_bars
from smc_trading_agent.data_pipeline.synthetic import SyntheticFeed
from smc_trading_agent.domain.errors import ConfigError, DataError
from smc_trading_agent.research.base_rates import BaseRate, Study, baseline, markets_of, measure, wilson
from smc_trading_agent.research.pairs import bars_of
from tests.runs import tape

MINUTE = 60_000_000_000
STUDY = Study(surrogates=12)


def measured(bars: Bars, study: Study = STUDY) -> tuple[BaseRate, ...]:
    return measure(bars, study, lambda done: None)


def random_walk(bars: int, seed: int) -> Bars:
    """Bars of 20 steps of -3 to 3 ticks each: nothing in them is predictable."""
    steps = np.random.default_rng(seed).integers(-3, 4, size=(bars, 20)).cumsum(axis=None).reshape(bars, 20)
    prices = steps + 100_000
    opens = np.concatenate([[100_000], prices[:-1, -1]])
    rows = zip(opens, prices.max(axis=1), prices.min(axis=1), prices[:, -1], strict=True)
    made = [
        Bar(i * MINUTE, (i + 1) * MINUTE, int(o), int(max(o, h)), int(min(o, low)), int(c))
        for i, (o, h, low, c) in enumerate(rows)
    ]
    return Bars.from_list("1m", made)


def synthetic(planted: float) -> Bars:
    """Five-minute bars of 200,000 minutes."""
    feed = SyntheticFeed(7, length=200_000, planted_strength=planted)
    return aggregate_bars(Bars.concat(list(feed.batches(0))), "5m")


def distances(rates: tuple[BaseRate, ...], kind: str) -> list[float]:
    """z of the rows with 100 outcomes or more: the spread of 30 surrogates of fewer is itself a guess."""
    found = [rate.baselines[kind].z for rate in rates if rate.resolved >= 100]
    return [z for z in found if z is not None]


@pytest.mark.parametrize(
    ("make", "clustered"),
    [(lambda: random_walk(30_000, 3), False), (lambda: synthetic(0.0), True)],
    ids=["random walk", "synthetic without a tendency"],
)
def test_nothing_is_found_where_nothing_is(make: Callable[[], Bars], clustered: bool) -> None:
    """z has a root mean square near 1 under chance. Rows share bars, so it scatters: 2 and 6 are far outside."""
    rates = measured(make())
    for kind in ("shuffled", "mirrored"):
        found = distances(rates, kind)
        assert len(found) > 20
        assert math.sqrt(sum(z * z for z in found) / len(found)) < 2.0
        # Shuffling also takes away how volatility clusters, which the synthetic market has: no row of it alone counts.
        if kind == "mirrored" or not clustered:
            assert max(map(abs, found)) < 6.0


def test_the_planted_answer_to_sweeps_is_found() -> None:
    """After a sweep, price drifts away: a shift that follows one is continued, far more often than by chance."""
    rates = {(rate.kind, rate.scope): rate for rate in measured(synthetic(1.0))}
    shift = rates["mss_strict", "internal"]
    assert shift.resolved > 100
    assert shift.low is not None
    assert shift.low > 0.5
    for kind in ("shuffled", "mirrored"):
        z = shift.baselines[kind].z
        assert z is not None
        assert z > 3.0


def test_the_same_seed_gives_the_same_rates_and_another_one_others() -> None:
    bars = tape(5_000)
    first, again, other = (measured(bars, Study(surrogates=4, seed=seed)) for seed in (1, 1, 2))
    assert first == again
    assert [rate.rate for rate in first] == [rate.rate for rate in other]
    assert [rate.baselines for rate in first] != [rate.baselines for rate in other]


def test_progress_hears_every_market() -> None:
    heard: list[int] = []
    study = Study(surrogates=3)
    measure(tape(500), study, heard.append)
    assert heard == [1, 2, 3, 4, 5, 6, 7] == list(range(1, markets_of(study) + 1))


def test_the_detector_is_that_of_the_settings() -> None:
    bars = tape(3_000)
    found = {rate.kind: rate.found for rate in measured(bars, Study(surrogates=2)) if not rate.scope}
    strict = Study(surrogates=2, detector={"fair_value_gap": {"min_size_atr": 1.0}})
    fewer = {rate.kind: rate.found for rate in measured(bars, strict) if not rate.scope}
    assert 0 < fewer["fair_value_gap"] < found["fair_value_gap"]
    with pytest.raises(ConfigError, match="gapp"):
        measured(bars, Study(surrogates=2, detector={"gapp": {}}))
    with pytest.raises(ConfigError, match="atr_multiple is 0"):
        measured(bars, Study(surrogates=2, atr_multiple=0.0))


@pytest.mark.parametrize(
    ("rate", "number", "low", "high"),
    [
        (0.5, 10, 0.2366, 0.7634),
        (0.0, 10, 0.0, 0.2775),
        (0.9, 100, 0.8256, 0.9448),
        (0.3, 0, 0.0, 1.0),
    ],
)
def test_wilsons_interval(rate: float, number: float, low: float, high: float) -> None:
    assert wilson(rate, number) == (pytest.approx(low, abs=1e-4), pytest.approx(high, abs=1e-4))


def test_a_baseline_counts_standard_deviations() -> None:
    found = baseline(0.6, [0.4, 0.5, 0.6])
    assert (found.markets, found.mean, found.deviation, found.z) == (3, 0.5, 0.1, 1.0)
    assert baseline(0.6, [0.5]).z is None
    assert baseline(0.6, [0.5, 0.5]).z is None
    assert baseline(None, [0.4, 0.6]).z is None


def test_bars_are_those_of_the_timeframe_asked_for() -> None:
    bars = tape(600)
    assert len(bars_of([bars.slice(0, 300), bars.slice(300, 600)], None)) == 600
    assert bars_of([bars], "15m").timeframe == "15m"
    with pytest.raises(DataError, match="no bars"):
        bars_of([], None)
    with pytest.raises(DataError, match="--timeframe 1m"):
        bars_of([aggregate_bars(bars, "5m")], "1m")


def test_a_surrogate_of_an_unknown_form_is_refused() -> None:
    with pytest.raises(ValueError, match="shuffled mirrored"):
        surrogate_bars(tape(10), "reversed", 1, 0)


def test_counts_are_whole() -> None:
    for rate in measured(tape(4_000), Study(surrogates=2)):
        parts = (rate.untested, rate.untouched, rate.hits, rate.misses, rate.unresolved)
        assert rate.found == sum(parts), msgspec.to_builtins(rate)
        if rate.rate is not None:
            assert rate.low is not None
            assert rate.high is not None
            assert rate.low <= rate.rate <= rate.high
