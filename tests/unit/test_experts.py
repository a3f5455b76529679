"""Experts: real graphs in ONNX Runtime, stepped close by close; what they are not is said when they are loaded."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import onnxruntime
import pytest

from smc_trading_agent.decision_engine.ensemble import experts as module
from smc_trading_agent.decision_engine.ensemble import sessions
from smc_trading_agent.decision_engine.ensemble.bundle import load_bundle
from smc_trading_agent.decision_engine.ensemble.experts import (
    Expert,
    LogisticExpert,
    LogisticModel,
    OnnxStreamExpert,
    load_experts,
)
from smc_trading_agent.domain.errors import BundleError
from tests import bundles
from tests.bundles import HIDDEN, WINDOW, C, F

STREAMS = ("lstm", "transformer")


@pytest.fixture(name="loaded", scope="module")
def make_loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return bundles.written(tmp_path_factory.mktemp("bundle"))


def experts_of(folder: Path) -> dict[str, Expert]:
    return {expert.name: expert for expert in load_experts(load_bundle(folder, allow_unsigned=True))}


def rows(count: int, width: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 1.0, (count, width)).astype(np.float32)


def plain_lstm(stream: np.ndarray, context: np.ndarray) -> float:
    """The graph of `bundles.lstm_onnx` over a whole stream, from the equations of an LSTM (gates i, o, f, c)."""
    chance = np.random.default_rng(3)
    w = chance.normal(0.0, 0.2, (1, 4 * HIDDEN, F)).astype(np.float32)[0]
    r = chance.normal(0.0, 0.2, (1, 4 * HIDDEN, HIDDEN)).astype(np.float32)[0]
    head = chance.normal(0.0, 0.1, (HIDDEN + C, 1)).astype(np.float32)[:, 0]
    h, c = np.zeros(HIDDEN), np.zeros(HIDDEN)
    for x in stream.astype(np.float64):
        i, o, f, g = np.split(w @ x + r @ h, 4)
        i, o, f = (1.0 / (1.0 + np.exp(-gate)) for gate in (i, o, f))
        c = f * c + i * np.tanh(g)
        h = o * np.tanh(c)
    return float(np.concatenate([h, context]) @ head)


def plain_attention(stream: np.ndarray, context: np.ndarray) -> float:
    """The graph of `bundles.attention_onnx` over the last window of a stream."""
    chance = np.random.default_rng(4)
    wq, wk, wv = (chance.normal(0.0, 0.1, (F, HIDDEN)).astype(np.float32) for _ in range(3))
    head = chance.normal(0.0, 0.1, (HIDDEN + C, 1)).astype(np.float32)[:, 0]
    seen = stream[-WINDOW:].astype(np.float64)
    scores = (seen @ wk) @ (stream[-1] @ wq)
    weights = np.exp(scores - scores.max())
    read = (weights / weights.sum()) @ (seen @ wv)
    return float(np.concatenate([read, context]) @ head)


PLAIN = {"lstm": plain_lstm, "transformer": plain_attention}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("closes", [1, 3, WINDOW, 3 * WINDOW])
def test_stepping_equals_the_whole_window(loaded: Path, name: str, closes: int) -> None:
    expert, stream, context = experts_of(loaded)[name], rows(closes, F), rows(1, C, 2)[0]
    for row in stream:
        expert.on_close(row)
        expert.advance()
    assert expert.vote(context) == pytest.approx(PLAIN[name](stream, context), abs=1e-5)


@pytest.mark.parametrize("name", STREAMS)
def test_votes_between_closes_change_nothing_and_may_be_repeated(loaded: Path, name: str) -> None:
    stream, context = rows(12, F), rows(1, C, 2)[0]
    asked, silent = experts_of(loaded)[name], experts_of(loaded)[name]
    for number, row in enumerate(stream):
        asked.on_close(row)
        silent.on_close(row)
        if number % 3:
            first, other = asked.vote(context), asked.vote(-context)
            assert asked.vote(context) == first != other
    assert asked.vote(context) == silent.vote(context)


@pytest.mark.parametrize("name", STREAMS)
def test_a_close_is_stepped_through_once_whoever_comes_first(
    loaded: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expert, context = experts_of(loaded)[name], rows(1, C, 2)[0]
    assert isinstance(expert, OnnxStreamExpert)
    runs, run = [], expert._run

    def counted(*given: np.ndarray) -> object:
        runs.append(given)
        return run(*given)

    monkeypatch.setattr(expert, "_run", counted)
    for number, row in enumerate(rows(10, F)):
        expert.on_close(row)
        if number % 2:
            expert.vote(context)
        expert.advance()
        expert.advance()
        assert len(runs) == number + 1
    first = expert.vote(context)
    assert expert.vote(context) == first
    assert len(runs) == 12


@pytest.mark.parametrize("name", STREAMS)
def test_a_state_resumes_exactly(loaded: Path, name: str) -> None:
    straight, stopped, context = experts_of(loaded)[name], experts_of(loaded)[name], rows(1, C, 2)[0]
    for number, row in enumerate(rows(15, F)):
        straight.on_close(row)
        straight.advance()
        stopped.on_close(row)
        if number == 5:
            stopped.vote(context)
        again = experts_of(loaded)[name]
        again.restore(stopped.snapshot())
        stopped = again
    assert stopped.vote(context) == straight.vote(context)


@pytest.mark.parametrize("name", STREAMS)
def test_before_the_first_close_there_is_no_vote(loaded: Path, name: str) -> None:
    assert math.isnan(experts_of(loaded)[name].vote(rows(1, C)[0]))


@pytest.mark.parametrize("name", STREAMS)
def test_a_close_with_a_value_that_is_no_number_does_not_poison_the_state(loaded: Path, name: str) -> None:
    poisoned, clean, stream, context = experts_of(loaded)[name], experts_of(loaded)[name], rows(6, F), rows(1, C, 2)[0]
    for number, row in enumerate(stream):
        if number == 3:
            wrong = row.copy()
            wrong[0] = np.nan
            poisoned.on_close(wrong)
        for expert in (poisoned, clean):
            expert.on_close(row)
    assert poisoned.vote(context) == clean.vote(context)


def test_a_state_that_becomes_no_number_is_not_carried_on(loaded: Path) -> None:
    expert, context = experts_of(loaded)["transformer"], rows(1, C, 2)[0]
    expert.on_close(rows(1, F)[0])
    good = expert.vote(context)
    huge = np.full(F, 3e38, dtype=np.float32)
    expert.on_close(huge)
    assert math.isnan(expert.vote(context))
    expert.on_close(rows(1, F)[0])
    assert math.isfinite(expert.vote(context))
    assert math.isfinite(good)


def test_a_stream_that_fell_too_far_behind_says_so(loaded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 4)
    expert = experts_of(loaded)["lstm"]
    for row in rows(5, F):
        expert.on_close(row)
    with pytest.raises(RuntimeError, match="fell 4 closes behind"):
        expert.vote(rows(1, C)[0])


def test_row_experts_are_their_formula(loaded: Path) -> None:
    found, context = experts_of(loaded), rows(1, C, 7)[0]
    w = np.random.default_rng(2).normal(0.0, 0.05, (C, 1)).astype(np.float32)
    assert found["lightgbm"].vote(context) == pytest.approx(float((context @ w).item()) - 0.4, abs=1e-5)
    logistic = found["logistic"]
    assert isinstance(logistic, LogisticExpert)
    assert logistic.vote(context) == pytest.approx(float(logistic.contributions(context).sum()) - 0.5)
    assert [expert.streaming for expert in found.values()] == [False, False, True, True, False]


def test_sessions_run_on_one_thread_without_spinning(loaded: Path) -> None:
    lstm = experts_of(loaded)["lstm"]
    assert isinstance(lstm, OnnxStreamExpert)
    options = lstm._session.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    wanted = [name for name in sessions.PROVIDERS if name in onnxruntime.get_available_providers()]
    assert lstm._session.get_providers() == wanted


def test_onnx_runtime_is_loaded_only_for_a_bundle_that_needs_it() -> None:
    code = "import sys, smc_trading_agent.runtime.assembly; sys.exit('onnxruntime' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("expert", "data", "sentence"),
    [
        ("lightgbm", b"not a model", "lightgbm.onnx is no ONNX model"),
        ("lightgbm", bundles.row_onnx(width=C - 1), "lightgbm.onnx is no row expert"),
        ("lightgbm", bundles.lstm_onnx(), "lightgbm.onnx is no row expert"),
        ("lstm", bundles.row_onnx(), "lstm.onnx is no stream expert"),
        ("logistic", b"{", "logistic.json can't be read"),
        ("logistic", bundles.encoded(LogisticModel((1.0, 2.0), 0.0)), f"has 2 weights, expected {C}"),
        ("logistic", msgspec.json.encode({"weights": [1.0], "intercept": 0.0, "code": "x"}), "can't be read"),
    ],
)
def test_models_of_another_form_are_refused(tmp_path: Path, expert: str, data: bytes, sentence: str) -> None:
    folder = bundles.written(tmp_path, files={f"{expert}.{'json' if expert == 'logistic' else 'onnx'}": data})
    with pytest.raises(BundleError, match=sentence):
        experts_of(folder)


@pytest.mark.parametrize(
    ("available", "chosen"),
    [
        (["CPUExecutionProvider", "CUDAExecutionProvider"], ["CUDAExecutionProvider", "CPUExecutionProvider"]),
        (["AzureExecutionProvider", "CPUExecutionProvider"], ["CPUExecutionProvider"]),
    ],
)
def test_cuda_is_preferred_where_it_is_there(available: list[str], chosen: list[str]) -> None:
    assert sessions.chosen_providers(available) == chosen


class Elsewhere:
    """A session whose first provider is another device, where arrays can't be bound once and for all."""

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self.run, self.get_providers = session.run, lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]


def test_where_arrays_can_not_be_bound_each_run_hands_them_over(loaded: Path) -> None:
    expert = experts_of(loaded)["lstm"]
    assert isinstance(expert, OnnxStreamExpert)
    said: dict[bool, float] = {}
    for bound in (True, False):
        session = expert._session if bound else Elsewhere(expert._session)
        x, context = np.zeros((1, F), dtype=np.float32), np.zeros((1, C), dtype=np.float32)
        _, state = sessions.packed({"h": (1, 1, HIDDEN), "c": (1, 1, HIDDEN)})
        outputs = {name: np.zeros((1, 1, HIDDEN), dtype=np.float32) for name in ("h_next", "c_next")}
        outputs["logit"] = np.zeros((1, 1), dtype=np.float32)
        graph = sessions.BoundGraph(session, {"x": x, "context": context} | state, outputs)
        x[0], context[0] = rows(1, F)[0], rows(1, C, 2)[0]
        graph.run()
        assert outputs["h_next"].any()
        said[bound] = float(outputs["logit"].item())
    assert said[True] == said[False]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (bundles.pair_onnx(), "gives logit of shape \\(1, 2\\), expected a single number"),
        (bundles.unrunnable_onnx(), "can't be run"),
    ],
)
def test_graphs_that_give_no_single_number_are_refused_at_the_start(tmp_path: Path, data: bytes, sentence: str) -> None:
    folder = bundles.written(tmp_path, files={"lightgbm.onnx": data})
    with pytest.raises(BundleError, match=f"lightgbm.*{sentence}"):
        experts_of(folder)
