"""The context row: a short setup is the mirror image of a long one, scaled the same everywhere."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from smc_trading_agent._core import FEATURE_NAMES, RowMirror, RowScaler, largest_of
from smc_trading_agent.decision_engine.ensemble.inputs import (
    CONTEXT_COLUMNS,
    LIMIT,
    MIRROR,
    SETUP_COLUMNS,
    Scaler,
    Scaling,
    context_row,
    fit_scaling,
    mirror_of,
)
from smc_trading_agent.domain.reasons import SetupKind
from tests.factories import setup

F = len(FEATURE_NAMES)
ROW = np.random.default_rng(1).normal(0.0, 1.0, F)


def of(row: np.ndarray, name: str) -> float:
    return float(row[CONTEXT_COLUMNS.index(name)])


def long_and_short() -> tuple[np.ndarray, np.ndarray]:
    """A long setup, and the short one of the market upside down (the price scale is mirrored at the entry)."""
    long = setup(side=1, entry=1_000, stop=990, target=1_020, features=tuple(ROW.tolist()))
    upside_down = MIRROR.offset + MIRROR.sign * ROW[MIRROR.index]
    short = msgspec.structs.replace(long, side=-1, stop=1_010, target=980, features=tuple(upside_down.tolist()))
    return context_row(long, 0.4), context_row(short, 0.4)


def test_a_short_setup_is_the_long_one_upside_down() -> None:
    long, short = long_and_short()
    np.testing.assert_allclose(short, long, atol=1e-12)


def test_pairs_change_places_signs_change_and_positions_count_from_the_other_end() -> None:
    place = {name: index for index, name in enumerate(FEATURE_NAMES)}
    seen = MIRROR.offset + MIRROR.sign * ROW[MIRROR.index]

    def before(name: str) -> float:
        return float(ROW[place[name]])

    for name, expected in {
        "bullish_order_block_distance": before("bearish_order_block_distance"),
        "sell_side_pool_age": before("buy_side_pool_age"),
        "upper_wick_share": before("lower_wick_share"),
        "context_1_swing_bias": -before("context_1_swing_bias"),
        "choch_direction": -before("choch_direction"),
        "return_16": -before("return_16"),
        "body_share": -before("body_share"),
        "taker_imbalance": -before("taker_imbalance"),
        "range_position": 1.0 - before("range_position"),
        "context_2_range_position": 1.0 - before("context_2_range_position"),
        "choch_age": before("choch_age"),
        "atr_share": before("atr_share"),
        "hour_sin": before("hour_sin"),
    }.items():
        assert seen[place[name]] == pytest.approx(expected), name


def test_mirroring_twice_is_nothing() -> None:
    once = MIRROR.offset + MIRROR.sign * ROW[MIRROR.index]
    np.testing.assert_allclose(MIRROR.offset + MIRROR.sign * once[MIRROR.index], ROW, atol=1e-12)


def test_a_column_without_its_opposite_is_refused() -> None:
    with pytest.raises(ValueError, match="bullish_gap_age has no mirror image: bearish_gap_age"):
        mirror_of(("bullish_gap_age", "return_1"))


def test_the_setups_own_columns() -> None:
    features = np.zeros(F)
    features[FEATURE_NAMES.index("atr_share")] = 0.5
    made = setup(kind=SetupKind.CONTINUATION, entry=1_000, stop=990, target=1_020, features=tuple(features.tolist()))
    row = context_row(made, 0.37)
    assert len(row) == len(CONTEXT_COLUMNS) == F + len(SETUP_COLUMNS)
    own = {name: of(row, name) for name in SETUP_COLUMNS}
    assert own == pytest.approx(
        {
            "is_reversal": 0.0,
            "is_continuation": 1.0,
            "reward_risk": 2.0,
            "stop_distance": 2.0,
            "break_even": 0.37,
            "chance": 1.0 / 3.0,
        }
    )


def test_another_number_of_features_is_refused() -> None:
    with pytest.raises(ValueError, match=f"carries 3 features, expected {F}"):
        context_row(setup(features=(1.0, 2.0, 3.0)), 0.4)


def test_rows_are_scaled_clipped_and_constant_columns_vanish() -> None:
    rows = np.column_stack([np.array([1.0, 3.0]), np.array([7.0, 7.0])])
    scaling = fit_scaling(rows)
    assert scaling == Scaling((2.0, 7.0), (1.0, 0.0))
    scaled = Scaler(scaling).apply(np.array([[2.5, 9.0], [100.0, 7.0], [-100.0, 7.0]]))
    assert scaled.dtype == np.float32
    assert scaled.tolist() == [[0.5, 0.0], [LIMIT, 0.0], [-LIMIT, 0.0]]
    assert fit_scaling(rows, np.array([3.0, 1.0])).centre[0] == 1.5


def test_one_row_and_many_are_scaled_to_the_same_bits() -> None:
    rows = np.random.default_rng(2).normal(3.0, 2.0, (50, F))
    scaler = Scaler(fit_scaling(rows))
    assert (scaler.apply(rows) == np.array([scaler.apply(row) for row in rows])).all()
    assert scaler.width == F


def test_a_value_that_is_no_number_stays_one_and_infinities_are_clipped_in_one_row_and_in_many() -> None:
    scaler = Scaler(Scaling((0.0,) * 5, (1.0,) * 5))
    row = np.array([np.nan, np.inf, -np.inf, -0.0, LIMIT])
    one, many = scaler.apply(row), scaler.apply(row[None, :])[0]
    assert one.tobytes() == many.tobytes()
    assert np.isnan(one[0])
    assert one[1:].tolist() == [LIMIT, -LIMIT, 0.0, LIMIT]


@pytest.mark.parametrize("side", [1, -1])
def test_a_row_has_the_bits_that_its_formula_gives(side: int) -> None:
    for row in np.random.default_rng(4).normal(0.0, 3.0, (20, F)):
        made = setup(side=side, stop=1_000 - 10 * side, entry=1_000, target=1_020 * side, features=tuple(row.tolist()))
        expected = row if side > 0 else MIRROR.offset + MIRROR.sign * row[MIRROR.index]
        assert context_row(made, 0.4)[:F].tobytes() == expected.tobytes()


def test_rows_and_parts_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="2 columns, expected 1"):
        RowScaler([0.0], [1.0], LIMIT).apply(np.zeros(2))
    with pytest.raises(ValueError, match="as many centres as factors"):
        RowScaler([0.0], [], LIMIT)
    with pytest.raises(ValueError, match="indices columns"):
        RowMirror([1], [1.0], [0.0])
    with pytest.raises(ValueError, match="not contiguous"):
        RowScaler([0.0] * 2, [1.0] * 2, LIMIT).apply(np.zeros(4)[::2])


@pytest.mark.parametrize(
    ("values", "count", "places"),
    [
        ([0.1, -3.0, 2.0, 3.0], 2, [1, 3]),
        ([0.0, 0.0, 0.0], 2, [0, 1]),
        ([np.nan, 1.0, -2.0], 3, [2, 1, 0]),
        ([1.0], 5, [0]),
        ([], 5, []),
        ([1.0, 2.0], 0, []),
    ],
)
def test_the_largest_parts_come_in_their_order(values: list[float], count: int, places: list[int]) -> None:
    assert largest_of(np.array(values), count) == places


def test_the_largest_parts_are_those_of_a_stable_order() -> None:
    for row in np.random.default_rng(5).integers(-9, 9, (50, 40)).astype(np.float64):
        assert largest_of(row, 5) == np.argsort(-np.abs(row), kind="stable")[:5].tolist()


@pytest.mark.parametrize(("centre", "scale"), [((0.0,), ()), ((np.nan,), (1.0,)), ((0.0,), (-1.0,))])
def test_a_scaling_that_is_none_is_refused(centre: tuple[float, ...], scale: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="finite centres"):
        Scaling(centre, scale)
