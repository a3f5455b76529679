"""Graphs fused into one: a model that ONNX accepts, the same bits as the experts apart, or no fusing at all."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from benchmarks.models import graph, tensors
from smc_trading_agent.decision_engine.ensemble import fusing
from smc_trading_agent.decision_engine.ensemble import group as module
from smc_trading_agent.decision_engine.ensemble.bundle import Bundle, load_bundle
from smc_trading_agent.decision_engine.ensemble.experts import Expert, OnnxRowExpert, load_experts
from smc_trading_agent.decision_engine.ensemble.fusing import Unfusable, fused
from smc_trading_agent.decision_engine.ensemble.group import FusedExperts, fuse_experts
from smc_trading_agent.decision_engine.ensemble.lanes import Together
from smc_trading_agent.domain.reasons import VoteStatus
from tests import bundles
from tests.bundles import C, F

SHAPES = {"x": (1, F), "context": (1, C)}
ONNX_EXPERTS = ("lightgbm", "ppo", "lstm", "transformer")


@pytest.fixture(name="bundle", scope="module")
def make_bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return load_bundle(bundles.written(tmp_path_factory.mktemp("bundle")), allow_unsigned=True)


def group_of(bundle: Bundle) -> FusedExperts:
    made = fuse_experts(bundle, load_experts(bundle))
    assert made is not None
    return made


def rows(count: int, width: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0.0, 1.0, (count, width)).astype(np.float32)


def show(experts: tuple[Expert, ...], row: np.ndarray) -> None:
    for expert in experts:
        expert.on_close(row)


def with_if() -> bytes:
    """A row expert with a graph inside a node."""
    branch = helper.make_graph(
        [helper.make_node("Identity", ["sum"], ["said"])],
        "branch",
        [],
        [helper.make_tensor_value_info("said", onnx.TensorProto.FLOAT, [1, 1])],
    )
    nodes = [
        helper.make_node("ReduceSum", ["context"], ["sum"]),
        helper.make_node("If", ["yes"], ["logit"], then_branch=branch, else_branch=branch),
    ]
    return graph(nodes, {"context": [1, C]}, {"logit": [1, 1]}, tensors(yes=np.array(True)))


def edited(change: Callable[[Any], None]) -> bytes:
    model = onnx.load_from_string(bundles.row_onnx())
    change(model)
    return bytes(model.SerializeToString())


def test_the_fused_graph_is_a_model_with_every_name_once_and_shared_inputs() -> None:
    models = {name: data for name, data in bundles.models().items() if name != "logistic"}
    model = onnx.load_from_string(fused(models, SHAPES))
    onnx.checker.check_model(model, full_check=True)
    inputs = [value.name for value in model.graph.input]
    assert inputs[:2] == ["x", "context"]
    assert set(inputs[2:]) == {f"lstm/{name}" for name in "hc"} | {
        f"transformer/{name}" for name in ("keys", "values", "filled")
    }
    assert {value.name for value in model.graph.output} >= {f"{name}/logit" for name in ONNX_EXPERTS}
    assert len(model.graph.node) == sum(len(onnx.load_from_string(data).graph.node) for data in models.values())


def test_votes_together_and_apart_have_the_same_bits_in_any_order(bundle: Bundle) -> None:
    group, apart = group_of(bundle), {expert.name: expert for expert in load_experts(bundle)}
    names = [expert.name for expert in group.experts]
    assert set(names) == set(ONNX_EXPERTS)
    ways = itertools.cycle(("together", "apart", "step", "together", "silent"))
    for row, context, way in zip(rows(40, F), rows(40, C, 2), ways, strict=False):
        show(group.experts, row)
        for expert in apart.values():
            expert.on_close(row)
        expected = [apart[name].vote(context) for name in names]
        if way == "together":
            assert group.vote(context) == group.vote(context) == expected
        elif way == "apart":
            assert [expert.vote(context) for expert in group.experts] == expected
        elif way == "step":
            for expert in group.experts:
                expert.advance()


def test_a_state_resumed_apart_is_the_state_left_together(bundle: Bundle) -> None:
    group, other = group_of(bundle), group_of(bundle)
    closes, context = rows(9, F), rows(1, C, 2)[0]
    for row in closes[:-1]:
        show(group.experts, row)
        group.vote(context)
    for expert, resumed in zip(group.experts, other.experts, strict=True):
        resumed.restore(expert.snapshot())
    for made in (group, other):
        show(made.experts, closes[-1])
    assert other.vote(context) == group.vote(context)


def test_experts_at_different_closes_or_before_the_first_vote_alone(bundle: Bundle) -> None:
    group, context = group_of(bundle), rows(1, C, 2)[0]
    assert group.vote(context) is None
    answers = Together(group).work(context)
    assert [answer.status for answer in answers] == [VoteStatus.COUNTED] * 2 + [VoteStatus.NOT_A_NUMBER] * 2
    show(group.experts, rows(1, F)[0])
    assert group.vote(context) is not None
    group.experts[-1].on_close(rows(1, F, 5)[0])
    assert group.vote(context) is None
    assert {answer.status for answer in Together(group).work(context)} == {VoteStatus.COUNTED}


def test_a_failure_in_the_run_of_all_costs_its_own_vote_only(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    group, context = group_of(bundle), rows(1, C, 2)[0]
    show(group.experts, rows(1, F)[0])

    def broken(*_: object) -> float:
        raise ValueError("no memory")

    for graph_ in group._graphs.values():
        monkeypatch.setattr(graph_, "run", broken)
    monkeypatch.setattr(group.experts[0], "vote", broken)
    answers = Together(group).work(context)
    assert [answer.status for answer in answers] == [VoteStatus.FAILED] + [VoteStatus.COUNTED] * 3
    assert answers[0].error == "ValueError: no memory"
    assert not any(stream.running.locked() for stream in group._streams)


def test_a_state_that_becomes_no_number_costs_its_own_vote_only(bundle: Bundle) -> None:
    group, context = group_of(bundle), rows(1, C, 2)[0]
    show(group.experts, np.full(F, 3e38, dtype=np.float32))
    said = dict(zip((expert.name for expert in group.experts), group.vote(context) or [], strict=True))
    assert np.isnan(said["transformer"])
    assert np.isfinite([said["lightgbm"], said["ppo"]]).all()
    show(group.experts, rows(1, F)[0])
    assert np.isfinite(group.vote(context) or [np.nan]).all()


def set_version(model: Any) -> None:
    model.opset_import[0].version = 18


def set_format(model: Any) -> None:
    model.ir_version = 3


def add_function(model: Any) -> None:
    model.functions.add().name = "f"


def add_sparse(model: Any) -> None:
    model.graph.sparse_initializer.add().dims.append(1)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (edited(set_version), "version 17 of the operators '', others 18|version 18 of the operators '', others 17"),
        (edited(set_format), "format version 3"),
        (edited(add_function), "functions"),
        (edited(add_sparse), "sparse weights"),
        (with_if(), "a graph inside"),
        (b"\xff\xff", "ends early"),
        (bundles.row_onnx()[:-3], "ends early"),
        (b"\x3b", "wire type 3"),
        (b"\x08\x08\x38\x01", "a number stands where a message should"),
        (b"", "not one graph"),
    ],
)
def test_what_takes_more_than_new_names_is_left_apart(data: bytes, sentence: str) -> None:
    with pytest.raises(Unfusable, match=sentence):
        fused({"lstm": bundles.lstm_onnx(), "other": data}, SHAPES)


def test_experts_that_can_not_be_fused_are_served_apart(tmp_path: Path) -> None:
    folder = bundles.written(tmp_path, files={"ppo.onnx": with_if()})
    bundle = load_bundle(folder, allow_unsigned=True)
    experts = load_experts(bundle)
    assert fuse_experts(bundle, experts) is None
    (ppo,) = [expert for expert in experts if expert.name == "ppo"]
    context = rows(1, C)[0]
    assert ppo.vote(context) == pytest.approx(float(context.sum()), abs=1e-4)


def test_one_graph_alone_is_no_group(tmp_path: Path) -> None:
    bundle = load_bundle(bundles.written(tmp_path, experts=("logistic", "lightgbm")), allow_unsigned=True)
    assert fuse_experts(bundle, load_experts(bundle)) is None


def test_row_experts_alone_are_a_group_without_closes(tmp_path: Path) -> None:
    bundle = load_bundle(bundles.written(tmp_path, experts=("logistic", "lightgbm", "ppo")), allow_unsigned=True)
    group, context = group_of(bundle), rows(1, C)[0]
    assert group.vote(context) == [expert.vote(context) for expert in group.experts]
    assert all(isinstance(expert, OnnxRowExpert) for expert in group.experts)


def test_votes_that_differ_in_a_bit_are_not_fused(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    other = bundles.row_onnx(bias=-0.4 + 1e-6)
    monkeypatch.setattr(module, "fused", lambda models, shapes: fused(models | {"lightgbm": other}, shapes))
    assert fuse_experts(bundle, load_experts(bundle)) is None


def test_fusing_and_its_proof_leave_the_state_as_it_was(bundle: Bundle) -> None:
    experts = load_experts(bundle)
    before = [expert.snapshot() for expert in experts]
    assert fuse_experts(bundle, experts) is not None
    assert [expert.snapshot() for expert in experts] == before


@pytest.mark.parametrize("value", [0, 1, 127, 128, 300, 2**32])
def test_numbers_are_written_as_they_are_read(value: int) -> None:
    assert fusing._varint(fusing._encoded(value), 0) == (value, len(fusing._encoded(value)))
