"""What fits know: training rows and closes outside the test; and the models that are fitted on rows alone."""

from __future__ import annotations

import json

import msgspec
import numpy as np
import onnxruntime
import pytest

from smc_trading_agent.decision_engine.ensemble.experts import LogisticModel
from smc_trading_agent.decision_engine.ensemble.inputs import CONTEXT_COLUMNS, fit_scaling
from smc_trading_agent.decision_engine.training.expert import ExpertFitter
from smc_trading_agent.decision_engine.training.logistic import fit_logistic, newton
from smc_trading_agent.decision_engine.training.normaliser import covered, fit_normaliser, scaled_context
from smc_trading_agent.decision_engine.training.offset import fit_offset
from smc_trading_agent.decision_engine.training.registry import fitters
from smc_trading_agent.decision_engine.training.samples import Labels, Samples
from smc_trading_agent.decision_engine.training.settings import (
    NANO,
    LogisticSettings,
    LstmSettings,
    TrainingSettings,
    TransformerSettings,
    TreeSettings,
)
from smc_trading_agent.decision_engine.training.tail import purged_blocks, purged_tail
from smc_trading_agent.decision_engine.training.trees import FittedTrees, TreeNodes, fit_trees, tree_sum
from smc_trading_agent.domain.errors import ConfigError, SampleError
from tests import fitting

BARS, EVERY = 6_000, 3
needs_extra = pytest.mark.usefixtures("training_extra")


@pytest.fixture(name="given", scope="module")
def make_given() -> Samples:
    return fitting.samples(BARS, EVERY)


@pytest.fixture(name="signal", scope="module")
def make_signal(given: Samples) -> Labels:
    return fitting.labels(given, fitting.context_tilt(given))


@pytest.fixture(name="noise", scope="module")
def make_noise(given: Samples) -> Labels:
    return fitting.labels(given, np.zeros(len(given)))


def fitted(fitter: ExpertFitter, given: Samples, labels: Labels, rows: np.ndarray, seed: int = 1):
    some, theirs = given.take(rows), labels.take(rows)
    return fitter(some, theirs, fitting.trades(some), fit_normaliser(some, theirs), seed)


def halves(given: Samples) -> tuple[np.ndarray, np.ndarray]:
    cut = len(given) // 2
    return np.arange(cut), np.arange(cut, len(given))


def test_the_normaliser_sees_no_close_that_a_test_covers(given: Samples, noise: Labels) -> None:
    rows = np.arange(500)
    first, last = int(given.known_at[700]), int(noise.end[900])
    held_out = np.array([[first, last]])
    before = fit_normaliser(given.take(rows), noise.take(rows), held_out)
    tape = given.tapes[0]
    spoiled = tape.features.copy()
    closes = tape.bars.columns()["close_time"]
    inside = (closes >= first) & (closes <= last)
    spoiled[inside] = 1e6
    assert inside.sum() == (last - first) // fitting.BAR_NS + 1
    moved = msgspec.structs.replace(given, tapes=(msgspec.structs.replace(tape, features=spoiled),))
    assert fit_normaliser(moved.take(rows), noise.take(rows), held_out) == before
    assert fit_normaliser(moved.take(rows), noise.take(rows)) != before
    assert before.context == fit_scaling(given.context[rows], noise.weight[rows])


def test_intervals_may_overlap_and_come_in_any_order(given: Samples) -> None:
    tape = given.tapes[0]
    bar = fitting.BAR_NS
    intervals = np.array([[50 * bar, 60 * bar], [10 * bar, 20 * bar], [15 * bar, 30 * bar], [55 * bar, 56 * bar]])
    closes = tape.bars.columns()["close_time"]
    expected = [any(a <= close <= b for a, b in intervals.tolist()) for close in closes.tolist()]
    np.testing.assert_array_equal(covered(tape, intervals), expected)


def test_a_fold_without_rows_or_closes_is_refused(given: Samples, noise: Labels) -> None:
    with pytest.raises(SampleError, match="one training row at least"):
        fit_normaliser(given.take(np.arange(0)), noise.take(np.arange(0)))
    everything = np.array([[0, np.iinfo(np.int64).max]])
    with pytest.raises(SampleError, match="cover every close"):
        fit_normaliser(given, noise, everything)


def test_rows_that_overlap_the_tail_or_a_block_are_left_out(given: Samples, noise: Labels) -> None:
    early, late = purged_tail(given, noise, 0.2)
    assert len(late) == round(0.2 * len(given))
    assert noise.end[early].max() < given.known_at[late].min()
    assert 0 < len(given) - len(late) - len(early) <= fitting.HELD
    for apart, block in purged_blocks(given, noise, 4):
        first, last = given.known_at[block].min(), noise.end[block].max()
        assert not ((noise.end[apart] >= first) & (given.known_at[apart] <= last)).any()
        assert len(apart) + len(block) >= len(given) - 4 * fitting.HELD


def test_every_model_starts_at_the_log_odds_of_chance(given: Samples, noise: Labels) -> None:
    normaliser = fit_normaliser(given, noise)
    offset = fit_offset(scaled_context(given, normaliser), noise)
    expected = np.log(noise.chance / (1.0 - noise.chance))
    assert np.abs(offset.apply(scaled_context(given, normaliser)) - expected).max() < 0.01
    used = {CONTEXT_COLUMNS[place] for place in np.flatnonzero(offset.weights)}
    assert used == {"reward_risk", "chance"}


@pytest.mark.parametrize(
    ("field", "value"),
    [("outcome", 1.5), ("outcome", np.nan), ("chance", 1.0), ("weight", 0.0), ("weight", np.inf)],
)
def test_labels_that_cannot_be_fitted_are_refused(given: Samples, noise: Labels, field: str, value: float) -> None:
    wrong = getattr(noise, field).copy()
    wrong[3] = value
    normaliser = fit_normaliser(given, noise)
    with pytest.raises(SampleError, match="outcomes in"):
        fit_offset(scaled_context(given, normaliser), msgspec.structs.replace(noise, **{field: wrong}))


def test_newton_ends_where_the_gradient_is_nothing() -> None:
    chance = np.random.default_rng(3)
    design, start = chance.normal(size=(200, 5)), chance.normal(size=200)
    outcome, weight, penalty = chance.random(200), chance.uniform(0.1, 2.0, 200), 3.0
    found = newton(design, outcome, weight, start, penalty, np.full(5, 4.0))
    p = 1.0 / (1.0 + np.exp(-(start + design @ found)))
    np.testing.assert_allclose(design.T @ (weight * (p - outcome)) + penalty * found, 0.0, atol=1e-3)


@needs_extra
@pytest.mark.parametrize("name", ["logistic", "lightgbm"])
def test_a_planted_signal_is_found_on_rows_not_seen(name: str, given: Samples, signal: Labels) -> None:
    train, test = halves(given)
    expert = fitted(fitters(NANO)[name], given, signal, train)
    best = fitting.excess_loss(
        np.log(signal.chance / (1.0 - signal.chance))[test] + fitting.context_tilt(given)[test], signal.take(test)
    )
    assert fitting.excess_loss(expert.log_odds(given.take(test)), signal.take(test)) < 0.5 * best < 0.0


@needs_extra
@pytest.mark.parametrize("name", ["logistic", "lightgbm"])
def test_on_noise_a_model_stays_at_chance(name: str, given: Samples, noise: Labels) -> None:
    train, test = halves(given)
    expert = fitted(fitters(TrainingSettings())[name], given, noise, train)
    scores = expert.log_odds(given.take(test))
    assert abs(fitting.excess_loss(scores, noise.take(test))) < 0.01
    fair = np.log(noise.chance / (1.0 - noise.chance))[test]
    assert np.abs(scores - fair).mean() < 0.15


def test_the_logistic_model_is_json_of_one_weight_for_each_column(given: Samples, signal: Labels) -> None:
    train, test = halves(given)
    expert = fitted(fitters(NANO)["logistic"], given, signal, train)
    model = msgspec.json.decode(expert.export(), type=LogisticModel)
    rows = scaled_context(given.take(test), expert.normaliser).astype(np.float64)
    np.testing.assert_allclose(rows @ np.array(model.weights) + model.intercept, expert.log_odds(given.take(test)))
    assert set(json.loads(expert.export())) == {"weights", "intercept"}


@needs_extra
@pytest.mark.parametrize("name", ["logistic", "lightgbm"])
def test_the_same_seed_gives_the_same_file(name: str, given: Samples, signal: Labels) -> None:
    train, _ = halves(given)
    files = [fitted(fitters(NANO)[name], given, signal, train).export() for _ in range(2)]
    assert files[0] == files[1]


@needs_extra
def test_trees_say_the_same_in_lightgbm_in_arrays_and_in_onnx(
    given: Samples, signal: Labels, monkeypatch: pytest.MonkeyPatch
) -> None:
    import lightgbm

    boosters = []
    original = lightgbm.train

    def remember(*arguments: object, **named: object) -> object:
        boosters.append(original(*arguments, **named))
        return boosters[-1]

    monkeypatch.setattr(lightgbm, "train", remember)
    train, test = halves(given)
    expert = fitted(fitters(NANO)["lightgbm"], given, signal, train)
    assert isinstance(expert, FittedTrees)
    assert len(np.unique(expert.nodes.tree)) > 10
    rows = scaled_context(given.take(test), expert.normaliser)
    np.testing.assert_allclose(
        tree_sum(expert.nodes, rows), boosters[-1].predict(rows.astype(np.float64), raw_score=True), atol=1e-6
    )
    session = onnxruntime.InferenceSession(expert.export(), providers=["CPUExecutionProvider"])
    served = [session.run(["logit"], {"context": row[None]})[0].item() for row in rows]
    np.testing.assert_allclose(served, expert.log_odds(given.take(test)), atol=1e-5)


@needs_extra
def test_a_value_on_the_threshold_goes_the_same_way_everywhere(given: Samples, signal: Labels) -> None:
    train, _ = halves(given)
    expert = fitted(fitters(NANO)["lightgbm"], given, signal, train)
    nodes: TreeNodes = expert.nodes
    inner = np.flatnonzero(nodes.column >= 0)[:50]
    rows = np.zeros((3 * len(inner), fitting.C), dtype=np.float32)
    for place, node in enumerate(inner.tolist()):
        value = nodes.value[node]
        around = (value, np.nextafter(value, np.float32(-np.inf)), np.nextafter(value, np.float32(np.inf)))
        rows[3 * place : 3 * place + 3, nodes.column[node]] = around
    session = onnxruntime.InferenceSession(expert.export(), providers=["CPUExecutionProvider"])
    served = [session.run(["logit"], {"context": row[None]})[0].item() for row in rows]
    np.testing.assert_allclose(served, expert.offset.apply(rows) + tree_sum(nodes, rows), atol=1e-5)


@needs_extra
def test_without_a_tree_the_graph_says_chance(given: Samples, noise: Labels) -> None:
    settings = TrainingSettings(trees=TreeSettings(rounds=0))
    normaliser = fit_normaliser(given, noise)
    expert = fit_trees(given, noise, fitting.trades(given), normaliser, 1, settings=settings)
    session = onnxruntime.InferenceSession(expert.export(), providers=["CPUExecutionProvider"])
    row = scaled_context(given, normaliser)[:1]
    fair = np.log(noise.chance[0] / (1.0 - noise.chance[0]))
    assert session.run(["logit"], {"context": row})[0].item() == pytest.approx(fair, abs=0.01)
    assert expert.log_odds(given.take(np.arange(1)))[0] == pytest.approx(fair, abs=0.01)


def test_a_penalty_without_end_says_chance(given: Samples, signal: Labels) -> None:
    settings = TrainingSettings(logistic=LogisticSettings(penalties=(1e9,)))
    expert = fit_logistic(given, signal, fitting.trades(given), fit_normaliser(given, signal), 1, settings=settings)
    fair = np.log(signal.chance / (1.0 - signal.chance))
    assert np.abs(expert.log_odds(given) - fair).max() < 0.01


@pytest.mark.parametrize(
    "make",
    [
        lambda: LogisticSettings(penalties=()),
        lambda: TreeSettings(leaves=1),
        lambda: TreeSettings(rows=0.0),
        lambda: LstmSettings(hidden=0),
        lambda: LstmSettings(rank=0),
        lambda: LstmSettings(dropout=1.0),
        lambda: TransformerSettings(hidden=30),
        lambda: TransformerSettings(chunk=100),
        lambda: TrainingSettings(threads=0),
        lambda: TrainingSettings(tail=0.5),
    ],
)
def test_settings_that_make_no_sense_are_refused(make: object) -> None:
    with pytest.raises(ConfigError, match="training settings: "):
        make()  # type: ignore[operator]
