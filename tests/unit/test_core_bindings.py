"""The compiled core as Python sees it: what the stub file promises is there, exact, and refuses nonsense by name."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smc_trading_agent import _core
from smc_trading_agent._core import (
    EVENT_KINDS,
    FEATURE_DOCS,
    FEATURE_NAMES,
    ORDER_EVENTS,
    ORDER_STATES,
    Analyzer,
    Bar,
    BarrierTracker,
    Bars,
    Detector,
    Instrument,
    LatencyHistogram,
    Ledger,
    OrderBook,
    SimVenue,
    SyntheticMarket,
    is_terminal,
    order_transition,
    random_entry_returns,
    timeframe_ns,
)
from tests.runs import tape

MINUTE = 60_000_000_000
BTC = Instrument("test", "BTCUSDT", "0.1", "0.001", "5")
STUBS = [Path(_core.__file__).parent / name for name in ("_core.pyi", "_core_audit.pyi", "_core_legacy.pyi")]


def promised() -> dict[str, set[str]]:
    """Public names of the stub files, with the members of each class."""
    names: dict[str, set[str]] = {}
    for node in (node for stub in STUBS for node in ast.parse(stub.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.ClassDef):
            names[node.name] = {
                member.name
                for member in node.body
                if isinstance(member, ast.FunctionDef) and not member.name.startswith("_")
            }
        elif isinstance(node, ast.FunctionDef):
            names[node.name] = set()
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names[node.target.id] = set()
    return names


def test_the_stub_file_and_the_module_have_the_same_names() -> None:
    there = {
        name: {member for member in dir(value) if not member.startswith("_")} if isinstance(value, type) else set()
        for name, value in vars(_core).items()
        if not name.startswith("_")
    }
    assert there == promised()


def test_vocabularies_are_unique_and_documented() -> None:
    for names in (EVENT_KINDS, FEATURE_NAMES, ORDER_EVENTS, ORDER_STATES):
        assert len(set(names)) == len(names) > 0
    assert len(FEATURE_DOCS) == len(FEATURE_NAMES)
    assert all(text.strip() for text in FEATURE_DOCS)


def test_every_pair_of_order_state_and_event_has_an_answer() -> None:
    for state in ORDER_STATES:
        for event in ORDER_EVENTS:
            after = order_transition(state, event)
            assert after is None or after in ORDER_STATES
            if is_terminal(state) and after is not None and event not in ("fill_partial", "fill_complete"):
                assert after == state, f"{state} ended, and {event} leads to {after}"
    assert order_transition("sending", "timeout") == "unknown"
    assert order_transition("unknown", "timeout") == "unknown"
    assert order_transition("canceled", "fill_complete") == "filled"
    assert order_transition("rejected", "fill_complete") is None
    assert {state for state in ORDER_STATES if is_terminal(state)} == {
        "denied",
        "filled",
        "canceled",
        "expired",
        "rejected",
    }


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: order_transition("nowhere", "send"), "nowhere"),
        (lambda: order_transition("open", "explode"), "explode"),
        (lambda: is_terminal("nowhere"), "nowhere"),
        (lambda: timeframe_ns("7m"), "7m"),
        (lambda: Detector("1m", '{"colour": 3}'), "colour"),
        (lambda: Detector("7m"), "7m"),
        (lambda: Detector.from_snapshot(b"nonsense"), "snapshot"),
        (lambda: Analyzer.from_snapshot(b""), "snapshot"),
        (lambda: SimVenue.from_snapshot(b"\x00" * 9), "snapshot"),
        (lambda: Ledger.from_snapshot(b"\xff"), "snapshot"),
        (lambda: BarrierTracker.from_snapshot(b"x"), "snapshot"),
        (lambda: SyntheticMarket.from_snapshot(b"x"), "snapshot"),
        (lambda: SyntheticMarket(BTC, 1, 0, '{"planted_strenght": 1}'), "planted_strenght"),
        (lambda: Analyzer(BTC, "1m", "3m", [], "{"), "column"),
        (lambda: Bar(0, MINUTE, 10, 9, 8, 9), "outside"),
        (lambda: Bars.from_list("1m", [Bar(0, 2 * MINUTE, 1, 1, 1, 1)]), "1m"),
        (lambda: Instrument("test", "X", "0", "1"), "0"),
        (lambda: BTC.price_to_ticks(math.nan), "NaN"),
        (lambda: BTC.price_to_ticks(0.05), "0.05"),
        (lambda: BTC.quote_from_str("ten"), "ten"),
        (lambda: Ledger(BTC, 0).apply_fill("t", 2, 1, 1, 0), "side is 2"),
        (lambda: Ledger(BTC, 0).apply_fill("", 1, 1, 1, 0), "empty id"),
        (lambda: OrderBook().apply(3, 1, 1), "3"),
    ],
)
def test_nonsense_is_a_value_error_that_names_it(call: Callable[[], Any], named: str) -> None:
    with pytest.raises(ValueError, match="(?i)" + named.replace(".", r"\.")):
        call()


def test_bars_are_a_sequence_with_columns() -> None:
    bars = tape(50)
    assert bars[-1].close_time == bars[49].close_time
    with pytest.raises(IndexError):
        bars[50]
    columns = bars.columns()
    assert all(column.dtype == np.int64 and column.shape == (50,) for column in columns.values())
    assert columns["close"][7] == bars[7].close
    joined = Bars.concat([bars.slice(0, 20), bars.slice(20, 50)])
    assert all(np.array_equal(joined.columns()[name], columns[name]) for name in columns)
    with pytest.raises(ValueError, match="oldest first"):
        Bars.concat([bars.slice(20, 50), bars.slice(0, 20)])


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_prices_and_quantities_keep_their_exact_text(ticks: int, lots: int) -> None:
    assert BTC.price_to_ticks(float(BTC.format_price(ticks))) == ticks
    assert BTC.quantity_to_lots(float(BTC.format_quantity(lots))) in (lots, lots - 1)
    assert BTC.quote_from_str(BTC.format_quote(ticks * lots)) == ticks * lots


fills = st.tuples(st.sampled_from([1, -1]), st.integers(1, 10**6), st.integers(1, 10**9), st.integers(-(10**6), 10**6))


@given(st.lists(fills, max_size=30), st.integers(1, 10**9), st.integers(0, 10**15))
def test_the_ledger_is_exact_at_every_mark(booked: list[tuple[int, int, int, int]], mark: int, cash: int) -> None:
    ledger = Ledger(BTC, cash)
    for number, (side, quantity, price, fee) in enumerate(booked):
        assert ledger.apply_fill(f"t{number}", side, quantity, price, fee)
        assert not ledger.apply_fill(f"t{number}", side, quantity, price, fee)
    position = sum(side * quantity for side, quantity, _, _ in booked)
    paid = sum(side * quantity * price + fee for side, quantity, price, fee in booked)
    assert ledger.position == position
    assert ledger.equity(mark) == cash - paid + position * mark
    assert ledger.cash + ledger.unrealised(mark) == ledger.equity(mark)
    again = Ledger.from_snapshot(ledger.snapshot())
    assert (again.equity(mark), again.position, again.fees) == (ledger.equity(mark), position, ledger.fees)
    assert math.isnan(ledger.average_price) == (position == 0)


def test_the_histogram_keeps_three_digits_and_saturates() -> None:
    histogram, other = LatencyHistogram(), LatencyHistogram()
    for value in range(1, 10_001):
        histogram.record(value * 1_000)
    assert histogram.count == 10_000
    assert histogram.percentile(50.0) == pytest.approx(5_000_000, rel=0.001)
    assert histogram.percentile(99.0) == pytest.approx(9_900_000, rel=0.001)
    assert histogram.mean == pytest.approx(5_000_500, rel=0.001)
    other.record(10**12)
    assert other.max == pytest.approx(60 * 10**9, rel=0.001)
    histogram.merge(other)
    assert histogram.count == 10_001
    assert histogram.max == other.max
    histogram.reset()
    assert (histogram.count, histogram.max, histogram.percentile(99.0)) == (0, 0, 0)


def test_the_book_is_ordered_from_its_best_level() -> None:
    book = OrderBook()
    for side, price, quantity in [(1, 99, 5), (1, 100, 3), (-1, 102, 1), (-1, 101, 4), (1, 98, 1), (1, 98, 0)]:
        book.apply(side, price, quantity)
    assert (book.best_bid, book.best_ask, book.crossed) == ((100, 3), (101, 4), False)
    assert book.levels(1, 10) == [(100, 3), (99, 5)]
    book.apply(1, 101, 1)
    assert book.crossed
    book.clear()
    assert (book.best_bid, book.levels(-1, 3)) == (None, [])


def test_random_entries_depend_on_the_seed_and_on_nothing_else() -> None:
    bars = tape(2_000)
    distances, risks = np.full(20, 2_000, dtype=np.int64), np.full(20, 0.01)
    runs = [
        random_entry_returns(bars, distances, 2 * distances, risks, 60 * MINUTE, 100, 16, seed) for seed in (1, 1, 2)
    ]
    assert runs[0].shape == (16,)
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])
    assert np.isfinite(runs[0]).all()


def test_the_synthetic_market_goes_on_from_its_snapshot() -> None:
    straight, first = SyntheticMarket(BTC, 5, 0), SyntheticMarket(BTC, 5, 0)
    whole = straight.next_bars(500).columns()
    first.next_bars(123)
    rest = SyntheticMarket.from_snapshot(first.snapshot()).next_bars(377).columns()
    assert all(np.array_equal(whole[name][123:], rest[name]) for name in whole)
