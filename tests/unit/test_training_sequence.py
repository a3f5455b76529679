"""Models that step through the tape: what is fitted on chunks is what steps bar by bar, and what it is worth."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import onnxruntime
import pytest

from smc_trading_agent.decision_engine.ensemble.inputs import Normaliser
from smc_trading_agent.decision_engine.training.head import SIGNED, turn_of
from smc_trading_agent.decision_engine.training.lstm import FittedLstm, LstmTrunk
from smc_trading_agent.decision_engine.training.lstm import readouts as lstm_readouts
from smc_trading_agent.decision_engine.training.normaliser import fit_normaliser, scaled_context, scaled_stream
from smc_trading_agent.decision_engine.training.registry import fitters
from smc_trading_agent.decision_engine.training.samples import Labels, Samples
from smc_trading_agent.decision_engine.training.sequence import Stream, stream_of
from smc_trading_agent.decision_engine.training.settings import NANO, LstmSettings, TransformerSettings
from smc_trading_agent.decision_engine.training.transformer import TransformerTrunk, nearness
from smc_trading_agent.decision_engine.training.transformer import readouts as transformer_readouts
from tests import fitting

pytestmark = pytest.mark.usefixtures("training_extra")

BARS, EVERY = 12_000, 6
STEPS = 500
SEQUENCES = ("lstm", "transformer")


class Case:
    """Setups on two tapes, the first three quarters to fit on."""

    def __init__(self, tilt: float) -> None:
        self.samples = fitting.samples(BARS, EVERY, markets=2)
        self.tilt = fitting.memory_tilt(self.samples, tilt)
        self.labels = fitting.labels(self.samples, self.tilt)
        cut = len(self.samples) * 3 // 4
        self.train, self.test = np.arange(cut), np.arange(cut, len(self.samples))
        self.normaliser = fit_normaliser(self.samples.take(self.train), self.labels.take(self.train))
        self.experts = {name: self.fit(name, 1) for name in SEQUENCES}

    def fit(self, name: str, seed: int) -> Any:
        some: Samples = self.samples.take(self.train)
        labels: Labels = self.labels.take(self.train)
        return fitters(NANO)[name](some, labels, fitting.trades(some), self.normaliser, seed)


@pytest.fixture(name="memory", scope="module")
def make_memory(training_extra: None) -> Case:
    return Case(3.0)


@pytest.fixture(name="noise", scope="module")
def make_noise(training_extra: None) -> Case:
    return Case(0.0)


def stepped(data: bytes, rows: np.ndarray, contexts: np.ndarray) -> np.ndarray:
    """Logits of a step graph, bar by bar from the first."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    outputs = [output.name for output in session.get_outputs()]
    state = {
        given.name: np.zeros(given.shape, dtype=np.float32)
        for given in session.get_inputs()
        if given.name not in ("x", "context")
    }
    logits = np.empty(len(rows))
    for place, (row, context) in enumerate(zip(rows, contexts, strict=True)):
        logit, *after = session.run(outputs, {"x": row[None], "context": context[None], **state})
        state = dict(zip(state, after, strict=True))
        logits[place] = logit.item()
    return logits


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_memory_that_no_context_row_holds_is_found(memory: Case, name: str) -> None:
    test, labels = memory.samples.take(memory.test), memory.labels.take(memory.test)
    best = fitting.excess_loss(np.log(labels.chance / (1.0 - labels.chance)) + memory.tilt[memory.test], labels)
    assert memory.experts[name].epoch > 0
    assert fitting.excess_loss(memory.experts[name].log_odds(test), labels) < 0.2 * best < 0.0


@pytest.mark.parametrize("name", SEQUENCES)
def test_on_noise_a_model_stays_at_chance(noise: Case, name: str) -> None:
    test, labels = noise.samples.take(noise.test), noise.labels.take(noise.test)
    assert abs(fitting.excess_loss(noise.experts[name].log_odds(test), labels)) < 0.01


@pytest.mark.parametrize("name", SEQUENCES)
def test_the_exported_step_gives_the_log_odds_of_training(memory: Case, name: str) -> None:
    expert, tape = memory.experts[name], memory.samples.tapes[1]
    rows = scaled_stream(tape, memory.normaliser)[:STEPS]
    here = np.flatnonzero((memory.samples.market == 1) & (memory.samples.position < STEPS))
    setups = memory.samples.take(here)
    contexts = np.random.default_rng(2).normal(size=(STEPS, fitting.C)).astype(np.float32)
    contexts[setups.position] = scaled_context(setups, memory.normaliser)
    logits = stepped(expert.export(), rows, contexts)
    assert len(here) > 50
    np.testing.assert_allclose(logits[setups.position], expert.log_odds(setups), atol=1e-5)
    assert np.std(expert.log_odds(setups)) > 0.2


@pytest.mark.parametrize("name", SEQUENCES)
def test_one_step_from_any_state_is_the_formula(memory: Case, name: str) -> None:
    expert, chance = memory.experts[name], np.random.default_rng(5)
    session = onnxruntime.InferenceSession(expert.export(), providers=["CPUExecutionProvider"])
    for _ in range(20):
        given = {node.name: chance.normal(0.0, 0.7, node.shape).astype(np.float32) for node in session.get_inputs()}
        outputs = dict(zip([node.name for node in session.get_outputs()], session.run(None, given), strict=True))
        plain = plain_lstm if name == "lstm" else plain_transformer
        readout, after = plain(expert, given)
        for state, value in after.items():
            np.testing.assert_allclose(outputs[state], value, atol=1e-5)
        logit = expert.head.apply(readout, given["x"], given["context"])
        np.testing.assert_allclose(outputs["logit"][0], logit, atol=1e-5)


def plain_lstm(expert: FittedLstm, given: dict[str, np.ndarray]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The equations of an LSTM in double precision, gates input, forget, cell, output."""
    weights = {name: value.astype(np.float64) for name, value in expert.weights.items()}
    gates = given["x"][0] @ weights["input"].T + given["h"][0, 0] @ weights["state"].T + weights["bias"]
    i, f, g, o = np.split(gates, 4)
    i, f, o = (1.0 / (1.0 + np.exp(-gate)) for gate in (i, f, o))
    c = f * given["c"][0, 0] + i * np.tanh(g)
    h = o * np.tanh(c)
    return h[None], {"h_next": h[None, None], "c_next": c[None, None]}


def plain_transformer(expert: Any, given: dict[str, np.ndarray]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The equations of the module in double precision, over the rings."""
    w, shape, after = expert.weights, expert.shape, {}
    d, each = shape.hidden, shape.hidden // shape.heads
    h = given["x"][0].astype(np.float64) @ w["embed"] + w["embed_bias"]
    for layer in range(shape.layers):
        a = (h - h.mean()) / np.sqrt(h.var() + 1e-5) * w[f"norm{layer}"] + w[f"shift{layer}"]
        q, k, v, up = np.split(a @ w[f"into{layer}"], [d, 2 * d, 3 * d])
        ring = np.concatenate([given[f"ring{layer}"][1:], np.concatenate([k, v])[None]])
        after[f"ring{layer}_next"] = ring
        read = np.empty(d)
        for head in range(shape.heads):
            part = slice(head * each, (head + 1) * each)
            scores = ring[:, :d][:, part] @ q[part] / np.sqrt(each) + nearness(shape)[head, ::-1]
            share = np.exp(scores - scores.max())
            read[part] = share / share.sum() @ ring[:, d:][:, part]
        h = h + np.concatenate([read, np.maximum(up + w[f"into_bias{layer}"], 0.0)]) @ w[f"down{layer}"]
    return h[None], after


@pytest.mark.parametrize("name", SEQUENCES)
def test_what_is_said_of_a_setup_does_not_depend_on_what_comes_after_it(memory: Case, name: str) -> None:
    expert, setups = memory.experts[name], memory.samples.take(np.arange(300))
    last = int(setups.position.max()) + 1
    cut = tuple(
        type(tape)(tape.instrument, tape.timeframe, tape.data_sha256, tape.bars.slice(0, last), tape.features[:last])
        for tape in setups.tapes
    )
    shorter = Samples(cut, *(getattr(setups, field) for field in setups.__struct_fields__[1:]))
    np.testing.assert_allclose(expert.log_odds(shorter), expert.log_odds(setups), atol=1e-6)


def test_lanes_carry_the_state_of_the_whole_tape(memory: Case) -> None:
    import torch

    stream = stream_of(memory.samples, memory.normaliser)
    settings = LstmSettings(hidden=6, lanes=8, chunk=32, burn_in=256, rank=3, epochs=1)
    torch.manual_seed(1)
    trunk = LstmTrunk(stream, settings)
    found, order = by_batches(trunk, len(memory.samples))
    weights = {name: tensor.detach().numpy() for name, tensor in trunk.weights().items()}
    whole = lstm_readouts(
        {"input": weights["wide"] @ weights["narrow"], "state": weights["state"], "bias": weights["bias"]}, stream
    )
    np.testing.assert_allclose(found, whole[order], atol=1e-5)


def test_pieces_see_all_that_the_windows_of_the_tape_see(memory: Case) -> None:
    import torch

    stream = stream_of(memory.samples, memory.normaliser)
    settings = TransformerSettings(hidden=8, lanes=4, chunk=32, epochs=1, layers=3, heads=2, window=8)
    torch.manual_seed(1)
    trunk = TransformerTrunk(stream, settings)
    found, order = by_batches(trunk, len(memory.samples))
    weights = {name: tensor.detach().numpy() for name, tensor in trunk.weights().items()}
    np.testing.assert_allclose(found, transformer_readouts(weights, stream, settings)[order], atol=1e-5)


def by_batches(trunk: Any, count: int) -> tuple[np.ndarray, np.ndarray]:
    import torch

    with torch.no_grad():
        batches = [(rows, readout.numpy()) for rows, readout in trunk.batches(np.arange(count), None)]
    order = np.concatenate([rows for rows, _ in batches])
    assert sorted(order.tolist()) == list(range(count))
    return np.concatenate([readout for _, readout in batches]), order


@pytest.mark.parametrize("name", SEQUENCES)
def test_the_same_seed_gives_the_same_file_and_another_seed_another(memory: Case, name: str) -> None:
    first = memory.experts[name].export()
    assert memory.fit(name, 1).export() == first
    assert memory.fit(name, 2).export() != first


@pytest.mark.parametrize("name", SEQUENCES)
def test_a_fitted_model_can_be_sent_to_another_process(memory: Case, name: str) -> None:
    sent = pickle.loads(pickle.dumps(memory.experts[name]))
    setups = memory.samples.take(memory.test)
    np.testing.assert_array_equal(sent.log_odds(setups), memory.experts[name].log_odds(setups))


def test_the_head_finds_the_side(memory: Case) -> None:
    stream: Stream = stream_of(memory.samples, memory.normaliser)
    turn = turn_of(memory.normaliser).apply(
        stream.rows[stream.close], scaled_context(memory.samples, memory.normaliser)
    )
    np.testing.assert_array_equal(np.sign(turn), memory.samples.side)


def test_the_head_is_at_rest_where_no_column_tells_the_side(memory: Case) -> None:
    flat = Normaliser(context=still(memory.normaliser.context), stream=still(memory.normaliser.stream))
    rows = np.ones((3, fitting.C), dtype=np.float32)
    np.testing.assert_array_equal(turn_of(flat).apply(rows[:, : fitting.F], rows), 0.0)


def still(scaling: Any) -> Any:
    """The same scaling with signed columns that never varied."""
    scale = np.array(scaling.scale)
    scale[SIGNED] = 0.0
    return type(scaling)(scaling.centre, tuple(scale.tolist()))
