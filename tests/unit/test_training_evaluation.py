"""Figures of a training run: scores with fractional outcomes, paths, gate, verdict, placebos, commit."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from smc_trading_agent.decision_engine.training.samples import Labels
from smc_trading_agent.domain.costs import CostModel
from smc_trading_agent.research.dataset.pooled import Dataset
from smc_trading_agent.research.statistics.bootstrap import Resampling
from smc_trading_agent.research.statistics.trials import TrialCounts
from smc_trading_agent.research.training.commit import UNKNOWN, commit_of
from smc_trading_agent.research.training.findings import GateLine, Interval, TradingFacts
from smc_trading_agent.research.training.fits import shuffled_labels
from smc_trading_agent.research.training.gate import gate_lines, verdict_of
from smc_trading_agent.research.training.placebos import audit_columns, lagged_placebo, leak_placebo, random_placebo
from smc_trading_agent.research.training.scores import bins_of, losses, overlap, paired, score
from smc_trading_agent.research.training.trading import daily, path_facts, trading_facts
from tests.findings import placebos
from tests.findings import score as forecast_score
from tests.fitting import BAR_NS, context_tilt, labels, samples, trades

RESAMPLING = Resampling(1, resamples=200)
COUNTS = TrialCounts(fits=100, trials=16, finished=100, failed=0)
COSTS = CostModel(200, 500, 1, 100)
DAY = 86_400_000_000_000


def dataset(tilt: float = 0.0) -> Dataset:
    rows = samples(6_000, 10)
    found = labels(rows, context_tilt(rows, tilt))
    return Dataset(rows, found, trades(rows), found.net_return - 0.05, ())


@pytest.fixture(scope="module")
def given() -> Dataset:
    return dataset()


def test_scores_count_a_share_as_part_win_and_part_loss(given: Dataset) -> None:
    fair = np.tile(given.labels.chance, (3, 1))
    found = score("chance", fair, given.labels, 1, {1: fair})
    y, p = given.labels.outcome, given.labels.chance
    expected = float(np.mean(-(y * np.log(p) + (1.0 - y) * np.log(1.0 - p))))
    assert found.log_loss == pytest.approx(expected)
    assert found.log_loss == pytest.approx(found.chance_log_loss)
    assert found.by_seed == {"1": pytest.approx(expected)}
    assert found.brier == pytest.approx(float(np.mean((p - y) ** 2)))
    assert found.calibration_error < 3.0 * found.calibration_noise
    assert sum(one.count for one in found.reliability) == pytest.approx(len(given), abs=5)
    assert all(one.low <= one.outcome <= one.high for one in found.reliability)
    sure = score("sure", np.full_like(fair, 0.9), given.labels, 1)
    assert sure.calibration_error == pytest.approx(0.9 - y.mean())


def test_bins_hold_enough_labels() -> None:
    assert [bins_of(count) for count in (10, 399, 1_187, 5_000)] == [2, 2, 5, 10]


def test_the_best_single_expert_is_the_rival(given: Dataset) -> None:
    fair = np.tile(given.labels.chance, (3, 1))
    off = np.clip(fair + 0.2, 0.0, 0.95)
    found = paired(fair, {"bad": off, "fair": fair}, given.labels, given.samples.known_at)
    assert (found.rival, found.difference) == ("fair", 0.0)
    worse = paired(off, {"bad": off, "fair": fair}, given.labels, given.samples.known_at)
    assert worse.difference == pytest.approx(
        float((losses(off, given.labels.outcome) - losses(fair, given.labels.outcome)).mean())
    )
    assert worse.p_value < 0.01


def test_overlap_counts_later_labels_that_begin_before_one_ends() -> None:
    known_at = np.arange(100, dtype=np.int64) * 10
    assert overlap(known_at, known_at + 5) == 0
    assert overlap(known_at, known_at + 25) == 2


def test_a_path_adds_up_in_order_of_its_exits(given: Dataset) -> None:
    chosen = np.zeros(len(given), dtype=bool)
    chosen[[5, 50, 200]] = True
    found = path_facts(2, chosen, given.labels, given.trades)
    returns = given.labels.net_return[[5, 50, 200]]
    assert found.trades == 3
    assert found.equity == pytest.approx(np.cumsum(returns))
    assert found.times == tuple(given.labels.end[[5, 50, 200]].tolist())
    assert found.total_return_double_costs == pytest.approx(returns.sum() - 0.15)
    level = np.concatenate([[0.0], np.cumsum(returns)])
    assert found.max_drawdown == pytest.approx((np.maximum.accumulate(level) - level).max())
    empty = path_facts(0, np.zeros(len(given), dtype=bool), given.labels, given.trades)
    assert (empty.trades, empty.total_return, empty.sharpe, empty.max_drawdown) == (0, 0.0, 0.0, 0.0)


def test_days_without_a_trade_are_zero(given: Dataset) -> None:
    chosen = np.zeros(len(given), dtype=bool)
    chosen[0] = True
    days = daily(chosen, given.labels)
    assert len(days) == int(given.labels.end[-1] // DAY - given.labels.end[0] // DAY + 1)
    assert days[0] == given.labels.net_return[0]
    assert not days[1:].any()


def test_few_trades_are_not_estimated(given: Dataset) -> None:
    chosen = np.zeros((5, len(given)), dtype=bool)
    chosen[0, :19] = True
    found = trading_facts(chosen, [], given.labels, COUNTS, RESAMPLING)
    assert (found.traded, found.setups, found.trials, found.fits) == (19, 5 * len(given), 16, 100)
    assert found.expectancy is None
    assert found.deflated_sharpe is None


def test_skill_shows_in_every_figure_of_trading() -> None:
    given = dataset(1.5)
    good = context_tilt(given.samples) > 0.8
    chosen = np.tile(good, (5, 1))
    noise = [np.random.default_rng(seed).permutation(daily(good, given.labels)) for seed in range(8)]
    found = trading_facts(chosen, [*noise, daily(good, given.labels)], given.labels, COUNTS, RESAMPLING)
    assert found.expectancy is not None
    assert found.expectancy.low > 0.0
    assert found.probabilistic_sharpe is not None
    assert found.deflated_sharpe is not None
    assert found.probabilistic_sharpe > 0.99
    assert found.deflated_sharpe <= found.probabilistic_sharpe
    assert found.largest_trade_share is not None
    assert found.largest_trade_share < 0.2


def facts(expectancy: Interval | None, **changes: object) -> TradingFacts:
    made = TradingFacts(5_000, 500, expectancy, 0.99, 0.97, 16, 345, 0.1, 0.1)
    return msgspec.structs.replace(made, **changes)


def conditions(lines: tuple[GateLine, ...]) -> list[str]:
    return [line.condition for line in lines if not line.passed]


def test_the_gate_holds_what_was_measured_and_nothing_else(given: Dataset) -> None:
    path = path_facts(0, np.ones(len(given), dtype=bool), given.labels, given.trades)
    good = msgspec.structs.replace(path, total_return_double_costs=1.0)
    calm = msgspec.structs.replace(forecast_score("ensemble", 0.6, 1), calibration_error=0.02)
    edge = facts(Interval(0.2, 0.1, 0.3))
    open_gate = gate_lines(edge, [good], calm, placebos(), ())
    assert conditions(open_gate) == []
    assert verdict_of(edge, Interval(-0.1, -0.2, 0.0), open_gate, ()).startswith("Edge: a chosen trade made +0.200 R")
    unknown = facts(None, deflated_sharpe=None, overfitting_probability=None, largest_trade_share=None)
    assert len(conditions(gate_lines(unknown, [good], calm, placebos(), ()))) == 4
    shut = gate_lines(edge, [path], calm, placebos(), ("return_1",))
    assert conditions(shut) == ["Median path at doubled costs", "Leaks"]
    assert "return_1" in verdict_of(edge, Interval(-0.1, -0.2, 0.0), shut, ("return_1",))


@pytest.mark.parametrize(
    ("expectancy", "beginning"),
    [
        (None, "No edge after costs: every setup traded would have made -0.100 R"),
        (Interval(0.1, -0.1, 0.3), "No edge after costs: a chosen trade made +0.100 R (-0.100 to +0.300)"),
        (Interval(0.2, 0.1, 0.3), "Edge not proven: a chosen trade made +0.200 R"),
    ],
)
def test_the_verdict_says_what_the_numbers_say(expectancy: Interval | None, beginning: str) -> None:
    closed = (GateLine("Calibration error", "0.04", "at most 0.03", False),)
    text = verdict_of(facts(expectancy), Interval(-0.1, -0.2, 0.0), closed, ())
    assert text.startswith(beginning)
    assert text.endswith(".")


def test_shuffled_labels_keep_what_chance_says_and_lose_the_rest() -> None:
    given = dataset(1.5)
    mixed = shuffled_labels(given.labels, 3)
    tilt = context_tilt(given.samples)

    def tie(found: Labels, column: np.ndarray) -> float:
        return float(np.corrcoef(found.outcome, column)[0, 1])

    assert sorted(mixed.outcome) == sorted(given.labels.outcome)
    assert tie(given.labels, tilt) > 0.4
    assert abs(tie(mixed, tilt)) < 0.12
    assert tie(mixed, given.labels.chance) == pytest.approx(tie(given.labels, given.labels.chance), abs=0.02)
    assert np.array_equal(mixed.end, given.labels.end)


def test_placebos_fail_where_nothing_is_wrong(given: Dataset) -> None:
    none = np.zeros((5, len(given)), dtype=bool)
    lagged = lagged_placebo(given, none, RESAMPLING)
    assert lagged.passed
    assert f"on {len(given)} of all {len(given)} setups" in lagged.found
    better = msgspec.structs.replace(given, late=given.labels.net_return + 1.0)
    assert not lagged_placebo(better, none, RESAMPLING).passed
    assert random_placebo(given, none, COSTS, 6 * BAR_NS, 1).passed
    assert leak_placebo(given, 1).passed


def test_the_audit_names_a_column_that_can_not_be_computed_again(given: Dataset) -> None:
    context = given.samples.context

    def honest(row: int) -> np.ndarray:
        return context[row]

    def peeking(row: int) -> np.ndarray:
        changed = context[row].copy()
        changed[3] += 1.0
        return changed

    assert audit_columns(given, honest).leaks == ()
    assert len(audit_columns(given, peeking).leaks) == 1


def test_the_commit_is_read_from_the_repository(tmp_path: Path) -> None:
    assert commit_of(tmp_path) == UNKNOWN
    git = tmp_path / ".git"
    (git / "refs" / "heads").mkdir(parents=True)
    (git / "HEAD").write_text("ref: refs/heads/main\n", encoding="ascii")
    (git / "packed-refs").write_text("# pack\nabc123 refs/heads/main\n", encoding="ascii")
    assert commit_of(tmp_path) == "abc123"
    (git / "refs" / "heads" / "main").write_text("def456\n", encoding="ascii")
    assert commit_of(tmp_path) == "def456"
    (git / "HEAD").write_text("789abc\n", encoding="ascii")
    assert commit_of(tmp_path) == "789abc"
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / ".git").write_text(f"gitdir: {git}\n", encoding="utf-8")
    assert commit_of(linked) == "789abc"
