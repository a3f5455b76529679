"""The stationary bootstrap: its blocks, its intervals on series that remember, and its automatic block length."""

from __future__ import annotations

import numpy as np
import pytest

from smc_trading_agent.domain.errors import SampleError
from smc_trading_agent.research.statistics.bootstrap import (
    Interval,
    Resampling,
    block_length,
    bootstrap_interval,
    difference_interval,
    expectancy_interval,
    mean_interval,
    means,
    sharpe_interval,
    sharpes,
    stationary_rows,
)
from smc_trading_agent.research.statistics.sharpe import sharpe_ratio


def autoregressive(samples: int, memory: float, seed: int, worlds: int = 1) -> np.ndarray:
    """AR(1) around 0 with unit shocks, from its stationary state. Shape (worlds, samples)."""
    shocks = np.random.default_rng(seed).normal(size=(worlds, samples))
    values = np.empty_like(shocks)
    values[:, 0] = shocks[:, 0] / np.sqrt(1.0 - memory**2)
    for step in range(1, samples):
        values[:, step] = memory * values[:, step - 1] + shocks[:, step]
    return values


def test_a_resample_continues_or_starts_anew() -> None:
    rows = np.concatenate(list(stationary_rows(1000, 20.0, 200, seed=1)))
    assert rows.shape == (200, 1000)
    continued = (rows[:, 1:] == (rows[:, :-1] + 1) % 1000).mean()
    assert continued == pytest.approx(1.0 - 1.0 / 20.0, abs=2e-3)
    # Every row of the sample is as likely as any other.
    assert np.bincount(rows.ravel(), minlength=1000).std() / 200 < 0.35


def test_a_block_of_one_is_the_plain_bootstrap() -> None:
    rows = np.concatenate(list(stationary_rows(500, 1.0, 100, seed=1)))
    assert (rows[:, 1:] == (rows[:, :-1] + 1) % 500).mean() < 0.01


# The block length that the formula asks for is (2 m/(1 - m^2))^(2/3) n^(1/3) for an AR(1) of memory m, since
# its R(k) is m^k/(1 - m^2): the sums of k R(k) and of R(k) are geometric.
@pytest.mark.parametrize("memory", [0.3, 0.5, 0.7])
def test_the_automatic_block_is_that_of_theory(memory: float) -> None:
    samples = 20_000
    lengths = [block_length(series) for series in autoregressive(samples, memory, seed=2, worlds=10)]
    theory = (2.0 * memory / (1.0 - memory**2)) ** (2.0 / 3.0) * samples ** (1.0 / 3.0)
    assert np.mean(lengths) == pytest.approx(theory, rel=0.15)


def test_the_automatic_block_by_hand() -> None:
    # n = 4 around 0: R = 1, -3/4, 1/2, -1/4 and no lag is loud (the bound is above 0.77). So M = 2: lag 1 counts
    # fully, lag 2 not at all; g = 1 - 3/2 and G = -3/2, and (9 * 4)^(1/3) is cut to 4/3, rounded up.
    assert block_length([1.0, -1.0, 1.0, -1.0]) == 2.0


def test_white_noise_asks_for_short_blocks_and_a_constant_for_none() -> None:
    lengths = [block_length(series) for series in autoregressive(2000, 0.0, seed=3, worlds=20)]
    assert np.median(lengths) < 5.0
    assert block_length(np.ones(50)) == 1.0


def test_intervals_hold_the_truth_as_often_as_they_say_and_the_plain_bootstrap_does_not() -> None:
    worlds = autoregressive(400, 0.5, seed=4, worlds=300)
    plan = Resampling(seed=5, resamples=300, confidence=0.9)
    naive = Resampling(seed=5, resamples=300, confidence=0.9, block=1.0)

    def coverage(resampling: Resampling) -> float:
        intervals = [mean_interval(world, resampling) for world in worlds]
        return float(np.mean([interval.low <= 0.0 <= interval.high for interval in intervals]))

    assert 0.80 < coverage(plan) < 0.95
    assert coverage(naive) < 0.75


def test_the_same_seed_gives_the_same_interval() -> None:
    world = autoregressive(300, 0.3, seed=6)[0]
    one = sharpe_interval(world, Resampling(seed=7, resamples=200))
    assert one == sharpe_interval(world, Resampling(seed=7, resamples=200))
    assert one != sharpe_interval(world, Resampling(seed=8, resamples=200))
    assert one.estimate == pytest.approx(sharpe_ratio(world))
    assert one.low < one.estimate < one.high


def test_more_confidence_is_a_wider_interval() -> None:
    world = autoregressive(300, 0.3, seed=6)[0]
    narrow, wide = (mean_interval(world, Resampling(seed=1, confidence=c)) for c in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high


def test_expectancy_is_earned_by_trade_not_by_setup() -> None:
    traded = np.tile([True, False, False, False], 50)
    returns = np.where(traded, np.tile([2.0, 9.0, 9.0, 9.0, -1.0, 9.0, 9.0, 9.0], 25), 9.0)
    found = expectancy_interval(returns, traded, Resampling(seed=2, resamples=500))
    assert found.estimate == 0.5
    assert -1.0 < found.low < 0.5 < found.high < 2.0


def test_never_trading_earns_nothing() -> None:
    found = expectancy_interval(np.ones(30), np.zeros(30, bool), Resampling(seed=2, resamples=50))
    assert (found.estimate, found.low, found.high) == (0.0, 0.0, 0.0)


def test_a_paired_difference_sees_what_two_intervals_hide() -> None:
    common = 5.0 * np.random.default_rng(9).normal(size=400)
    better, worse = common + 0.2 + 0.5 * np.random.default_rng(10).normal(size=400), common
    plan = Resampling(seed=3, resamples=500)
    assert difference_interval(better, worse, plan).low > 0.0
    assert mean_interval(better, plan).low < mean_interval(worse, plan).high
    assert difference_interval(better, worse, plan, means) == difference_interval(better, worse, plan)


def test_a_difference_of_ratios_is_paired_too() -> None:
    world = autoregressive(300, 0.2, seed=11)[0]
    same = difference_interval(world + 0.1, world + 0.1, Resampling(seed=1, resamples=100), sharpes)
    assert (same.estimate, same.low, same.high) == (0.0, 0.0, 0.0)
    more = difference_interval(world + 0.3, world, Resampling(seed=1, resamples=300), sharpes)
    assert more.estimate == pytest.approx(sharpe_ratio(world + 0.3) - sharpe_ratio(world))
    assert more.low > 0.0


def test_rows_resampled_together_take_the_longest_block() -> None:
    short, long = autoregressive(500, 0.0, seed=12)[0], autoregressive(500, 0.8, seed=13)[0]
    for first, second in ((short, long), (long, short)):
        found = difference_interval(first, second, Resampling(seed=1, resamples=10), sharpes)
        assert found.block == block_length(long) > block_length(short)


def test_a_resample_without_spread_has_ratio_0() -> None:
    assert sharpes(np.full((1, 1, 4), 0.1)).tolist() == [0.0]


def test_chunks_cover_all_resamples() -> None:
    world = np.zeros((1, 300_000))
    found = bootstrap_interval(world, means, Resampling(seed=1, resamples=30, block=5.0))
    assert found == Interval(0.0, 0.0, 0.0, 0.95, 5.0, 30)


def test_what_can_not_be_resampled_is_named() -> None:
    with pytest.raises(SampleError, match="block=0.5"):
        mean_interval([1.0, 2.0], Resampling(seed=1, block=0.5))
    with pytest.raises(SampleError, match="confidence=1.0"):
        mean_interval([1.0, 2.0], Resampling(seed=1, confidence=1.0))
    with pytest.raises(SampleError, match="lengths differ .first 3, second 2."):
        difference_interval([1.0, 2.0, 3.0], [1.0, 2.0], Resampling(seed=1))
    with pytest.raises(SampleError, match="resamples=0"):
        mean_interval([1.0, 2.0], Resampling(seed=1, resamples=0))
