"""What models are fitted on is what the live agent sees, bit for bit; and nothing of it comes from later bars."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from smc_trading_agent._core import Bar, Bars, Step
from smc_trading_agent.decision_engine.ensemble.inputs import context_row
from smc_trading_agent.domain.settings import Settings
from smc_trading_agent.domain.types import Approval, Decision, Refusal
from smc_trading_agent.research.dataset.following import Followed, follow
from smc_trading_agent.runtime.assembly import cost_model
from tests.runs import cut, run_whole, synthetic, tape

LENGTH = 40_000
SETTINGS = Settings()


class Watching:
    """What passes through the live pipeline."""

    def __init__(self) -> None:
        self.features: list[tuple[float, ...]] = []
        self.decisions: list[Decision] = []

    def on_step(self, step: Step, reader: Any) -> None:
        if step.decision_bar is not None:
            self.features.append(reader.features())

    def on_decision(self, decision: Decision, outcome: Approval | Refusal) -> None:
        self.decisions.append(decision)

    def on_order_event(self, event: object) -> None: ...
    def on_account(self, account: object, now: int) -> None: ...
    def on_breaker(self, change: object) -> None: ...


def followed(length: int) -> Followed:
    return follow(tape(length), synthetic(1).instrument, SETTINGS, cost_model(SETTINGS.execution))


@pytest.fixture(scope="module")
def whole() -> Followed:
    return followed(LENGTH)


def test_training_rows_equal_what_the_live_agent_saw(whole: Followed) -> None:
    watching = Watching()
    run_whole(cut(tape(LENGTH), [64, 7, 1]), SETTINGS, [watching])
    live = [decision.setup for decision in watching.decisions]
    assert len(live) > 40
    assert [setup.setup_id for setup in whole.setups] == [setup.setup_id for setup in live]
    assert list(whole.setups) == live
    assert np.array_equal(whole.features, np.array(watching.features), equal_nan=True)
    for decision, row, position in zip(watching.decisions, whole.rows, whole.positions, strict=True):
        assert decision.forecast is not None
        assert np.array_equal(row, context_row(decision.setup, decision.forecast.break_even), equal_nan=True)
        assert tuple(whole.features[position]) == decision.setup.features
        assert whole.bars[position].close_time == decision.setup.detected_at


def test_a_file_that_ends_earlier_gives_the_same_rows(whole: Followed) -> None:
    for length in (LENGTH // 3, LENGTH // 2 + 1, LENGTH - 1):
        short = followed(length)
        closes, count = len(short.features), len(short.setups)
        assert 0 < count <= len(whole.setups)
        assert np.array_equal(short.features, whole.features[:closes], equal_nan=True)
        assert short.setups == whole.setups[:count]
        assert np.array_equal(np.array(short.rows), np.array(whole.rows[:count]), equal_nan=True)
        assert short.positions == whole.positions[:count]
        assert all(whole.endings[key] == ending for key, ending in short.endings.items())
        assert short.unfilled <= whole.unfilled


def test_a_row_does_not_depend_on_what_comes_after(whole: Followed) -> None:
    """From the middle on the market goes on upside down: rows known before stay, outcomes after it do not."""
    bars = tape(LENGTH)
    turn = LENGTH // 2
    pivot = 2 * bars[turn - 1].close
    flipped = [
        Bar(bar.open_time, bar.close_time, pivot - bar.open, pivot - bar.low, pivot - bar.high, pivot - bar.close)
        for bar in (bars[place] for place in range(turn, LENGTH))
    ]
    other = follow(
        Bars.concat([bars.slice(0, turn), Bars.from_list(bars.timeframe, flipped)]),
        synthetic(1).instrument,
        SETTINGS,
        cost_model(SETTINGS.execution),
    )
    moment = bars[turn - 1].close_time
    known = [place for place, setup in enumerate(whole.setups) if setup.detected_at <= moment]
    assert [other.setups[place] for place in known] == [whole.setups[place] for place in known]
    for place in known:
        assert np.array_equal(other.rows[place], whole.rows[place], equal_nan=True)
    pending = [whole.setups[place].setup_id for place in known[-3:]]
    resolved = [place for place in known if whole.endings.get(whole.setups[place].setup_id) is not None]
    changed = [
        whole.setups[place].setup_id for place in resolved if whole.endings[whole.setups[place].setup_id].end > moment
    ]
    assert pending
    assert resolved
    assert all(other.endings.get(key) != whole.endings[key] for key in changed)
