"""Gradient-boosted trees by LightGBM on the scaled context row, on top of the log-odds of chance.

Few leaves, strong regularisation; the number of trees is the one with the least loss on a purged tail of the training
rows, none if no number beats chance there, and then all rows are fitted with it. The trees are kept as plain arrays:
what is predicted here, and the ONNX graph, are both made from these.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from smc_trading_agent.decision_engine.ensemble.experts import CONTEXT, LOGIT
from smc_trading_agent.decision_engine.ensemble.inputs import Normaliser
from smc_trading_agent.decision_engine.ensemble.manifest import ExpertKind
from smc_trading_agent.decision_engine.training.graphs import Graph
from smc_trading_agent.decision_engine.training.normaliser import mean_weight_one, scaled_context
from smc_trading_agent.decision_engine.training.offset import ChanceOffset, fit_offset, mean_loss
from smc_trading_agent.decision_engine.training.samples import Floats, Indices, Integers, Labels, Samples, Trades
from smc_trading_agent.decision_engine.training.settings import TrainingSettings
from smc_trading_agent.decision_engine.training.tail import purged_tail

LEAF = -1


class TreeNodes(msgspec.Struct, frozen=True):
    """All nodes of all trees; arrays (nodes,), ``tree`` and ``node`` numbering them.

    An inner node sends a row to ``low`` where its ``column`` is at most ``value``, else to ``high``. A leaf has column
    `LEAF`, and ``value`` is its log-odds.
    """

    tree: Integers
    node: Integers
    column: Integers
    value: NDArray[np.float32]
    low: Integers
    high: Integers


class FittedTrees(msgspec.Struct, frozen=True):
    """See `expert.FittedExpert`."""

    nodes: TreeNodes
    offset: ChanceOffset
    normaliser: Normaliser
    name: str = "lightgbm"
    kind: ExpertKind = "row"

    def log_odds(self, samples: Samples) -> Floats:
        """Raw log-odds (n,)."""
        rows = scaled_context(samples, self.normaliser)
        return self.offset.apply(rows) + tree_sum(self.nodes, rows)

    def export(self) -> bytes:
        """ONNX: the trees' sum plus the linear offset."""
        graph, width = Graph(), len(self.offset.weights)
        graph.constant("chance", self.offset.weights[:, None])
        graph.constant("intercept", np.array([self.offset.intercept]))
        some = bool(len(self.nodes.tree))
        start = graph.node("Gemm", [CONTEXT, "chance", "intercept"], "start" if some else LOGIT)
        if some:
            trees = graph.node("TreeEnsembleRegressor", [CONTEXT], "trees", "ai.onnx.ml", **_attributes(self.nodes))
            graph.node("Add", [trees, start], LOGIT)
        return graph.encode({CONTEXT: [1, width]}, {LOGIT: [1, 1]})


def fit_trees(
    samples: Samples,
    labels: Labels,
    trades: Trades,
    normaliser: Normaliser,
    seed: int,
    *,
    settings: TrainingSettings,
) -> FittedTrees:
    """See `expert.ExpertFitter`."""
    del trades
    rows = scaled_context(samples, normaliser)
    offset = fit_offset(rows, labels)
    early, late = purged_tail(samples, labels, settings.tail)
    rounds = _best_rounds(rows, labels, offset, early, late, seed, settings)
    everything = np.arange(len(samples))
    nodes = _nodes(_boost(rows, labels, offset, everything, rounds, seed, settings)) if rounds else _nodes([])
    return FittedTrees(nodes, offset, normaliser)


def tree_sum(nodes: TreeNodes, rows: NDArray[np.float32]) -> Floats:
    """Sum of the trees' leaves (n,) for rows (n, C)."""
    total = np.zeros(len(rows))
    bounds = np.flatnonzero(np.diff(nodes.tree, prepend=-1, append=-1))
    for first in bounds[:-1].tolist():
        at = np.full(len(rows), first)
        while (inner := nodes.column[at] != LEAF).any():
            some = at[inner]
            goes_low = rows[inner, nodes.column[some]] <= nodes.value[some]
            at[inner] = first + np.where(goes_low, nodes.low[some], nodes.high[some])
        total += nodes.value[at]
    return total


def _parameters(count: int, seed: int, settings: TrainingSettings) -> dict[str, Any]:
    trees = settings.trees
    return {
        "objective": "cross_entropy",
        "metric": "None",
        "num_leaves": trees.leaves,
        "min_data_in_leaf": max(2, round(trees.smallest_leaf * count)),
        "learning_rate": trees.learning_rate,
        "lambda_l2": trees.l2,
        "feature_fraction": trees.columns,
        "bagging_fraction": trees.rows,
        "bagging_freq": 1 if trees.rows < 1.0 else 0,
        "boost_from_average": False,
        "use_missing": False,
        "max_bin": 63,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": settings.threads,
        "verbosity": -1,
    }


def _boost(
    rows: NDArray[np.float32],
    labels: Labels,
    offset: ChanceOffset,
    used: Indices,
    rounds: int,
    seed: int,
    settings: TrainingSettings,
) -> list[dict[str, Any]]:
    """The trees, as LightGBM describes them."""
    import lightgbm

    data = lightgbm.Dataset(
        rows[used].astype(np.float64),
        labels.outcome[used],
        weight=mean_weight_one(labels.weight[used]),
        init_score=offset.apply(rows[used]),
    )
    booster = lightgbm.train(_parameters(len(used), seed, settings), data, num_boost_round=rounds)
    return list(booster.dump_model()["tree_info"])


def _best_rounds(
    rows: NDArray[np.float32],
    labels: Labels,
    offset: ChanceOffset,
    early: Indices,
    late: Indices,
    seed: int,
    settings: TrainingSettings,
) -> int:
    if not settings.trees.rounds or not len(early) or not len(late):
        return 0
    score = offset.apply(rows[late])
    best, rounds = mean_loss(score, labels.outcome[late], labels.weight[late]), 0
    for count, tree in enumerate(_boost(rows, labels, offset, early, settings.trees.rounds, seed, settings), start=1):
        score = score + tree_sum(_nodes([tree]), rows[late])
        loss = mean_loss(score, labels.outcome[late], labels.weight[late])
        if loss < best:
            best, rounds = loss, count
        elif count - rounds >= settings.trees.patience:
            break
    return rounds


def _nodes(trees: list[dict[str, Any]]) -> TreeNodes:
    columns: list[tuple[int, int, int, float, int, int]] = []
    for number, tree in enumerate(trees):
        first, waiting = len(columns), [(tree["tree_structure"], -1, False)]
        while waiting:
            found, parent, is_high = waiting.pop()
            place = len(columns) - first
            if parent >= 0:
                row = columns[first + parent]
                columns[first + parent] = (*row[:5], place) if is_high else (*row[:4], place, row[5])
            if "leaf_value" in found:
                columns.append((number, place, LEAF, float(found["leaf_value"]), 0, 0))
                continue
            columns.append((number, place, int(found["split_feature"]), _at_most(float(found["threshold"])), 0, 0))
            waiting += [(found["right_child"], place, True), (found["left_child"], place, False)]
    table = list(zip(*columns, strict=True)) if columns else [()] * 6
    tree_ids, node_ids, split, value, low, high = table
    return TreeNodes(
        tree=np.array(tree_ids, dtype=np.int64),
        node=np.array(node_ids, dtype=np.int64),
        column=np.array(split, dtype=np.int64),
        value=np.array(value, dtype=np.float32),
        low=np.array(low, dtype=np.int64),
        high=np.array(high, dtype=np.int64),
    )


def _at_most(threshold: float) -> float:
    """The largest float32 not above a threshold: it parts float32 values as the double does."""
    rounded = np.float32(threshold)
    return float(np.nextafter(rounded, np.float32(-np.inf)) if float(rounded) > threshold else rounded)


def _attributes(nodes: TreeNodes) -> dict[str, Any]:
    leaf = nodes.column == LEAF
    return {
        "n_targets": 1,
        "nodes_treeids": nodes.tree.tolist(),
        "nodes_nodeids": nodes.node.tolist(),
        "nodes_featureids": np.where(leaf, 0, nodes.column).tolist(),
        "nodes_modes": ["LEAF" if end else "BRANCH_LEQ" for end in leaf.tolist()],
        "nodes_values": np.where(leaf, np.float32(0.0), nodes.value).tolist(),
        "nodes_truenodeids": nodes.low.tolist(),
        "nodes_falsenodeids": nodes.high.tolist(),
        "target_treeids": nodes.tree[leaf].tolist(),
        "target_nodeids": nodes.node[leaf].tolist(),
        "target_ids": [0] * int(leaf.sum()),
        "target_weights": nodes.value[leaf].tolist(),
    }
