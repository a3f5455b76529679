"""How the market is cut into batches changes no fact."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smc_trading_agent.domain.settings import StructureSettings
from tests.runs import cut, decoded, eager, run_whole, tape

TAPE = tape(20_000, seed=7)
PLAN = eager(time_limit_bars=40)
WHOLE = run_whole(cut(TAPE, [len(TAPE)]), PLAN)


def test_the_run_that_others_are_compared_with_holds_every_way_out_of_a_trade() -> None:
    filled = {event["purpose"] for event in decoded(WHOLE, "order_event") if event["event"] == "fill_complete"}
    assert filled == {"entry", "stop", "target", "exit"}
    assert {event["event"] for event in decoded(WHOLE, "order_event")} >= {"cancel_request", "cancel", "expire"}
    assert WHOLE.coordinator.failures == {}


@pytest.mark.parametrize("size", [1, 7, 64, 4_096])
def test_equal_batches(size: int) -> None:
    assert run_whole(cut(TAPE, [size]), PLAN).journal.head_hash == WHOLE.journal.head_hash


@settings(max_examples=8)
@given(st.lists(st.integers(1, 3_000), min_size=1, max_size=40))
def test_uneven_batches(sizes: list[int]) -> None:
    assert run_whole(cut(TAPE, sizes), PLAN).journal.head_hash == WHOLE.journal.head_hash


def test_a_market_with_holes() -> None:
    """Bars are missing in the middle of decision bars; batches end on either side of a hole."""
    bars = [TAPE[at] for at in range(6_000) if at % 1_000 not in (100, 101, 500) and not 3_000 < at < 3_400]
    holed = type(TAPE).from_list("1m", bars)
    plan = PLAN.model_copy(update={"structure": StructureSettings(decision_timeframe="5m")})
    hashes = {run_whole(cut(holed, sizes), plan).journal.head_hash for sizes in ([1], [99, 1, 2], [4_096])}
    assert len(hashes) == 1
