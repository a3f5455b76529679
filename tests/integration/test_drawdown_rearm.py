"""After a drawdown: halted until a person re-arms, from a new peak that is journalled with who and why."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from smc_trading_agent.domain.breaker import BreakerAction, BreakerOrder
from smc_trading_agent.domain.reasons import BreakerState
from smc_trading_agent.domain.settings import DecisionSettings, JournalSettings, RiskSettings, Settings
from tests.accounts import Account, Process
from tests.runs import decoded, synthetic

SETTINGS = Settings(
    decision=DecisionSettings(take_every_setup=True, time_limit_bars=10, min_reward_risk=0.3),
    risk=RiskSettings(max_daily_loss=1.0, halt_daily_loss=1.0, max_drawdown=0.002),
    journal=JournalSettings(checkpoint_bars=100_000),
)
"""A fifth of a percent below the peak halts: a lost trade or two."""


def halts(process: Process) -> list[dict[str, Any]]:
    return [told for told in decoded(process.assembly, "breaker") if told["cause"] == "drawdown"]


def test_a_rearm_measures_drawdown_anew_and_does_not_halt_again_at_once(tmp_path: Path) -> None:
    bars = 9_000
    account = Account(tmp_path, lambda: synthetic(bars, seed=61), SETTINGS)
    process = account.process()
    process.run()
    assert process.assembly.gate.breaker.state is BreakerState.HALTED
    assert len(halts(process)) == 1
    peak = process.assembly.gate.peak_equity

    bars = 12_000
    process = account.process()
    order = BreakerOrder(BreakerAction.REARM, "account", "ada", "the model was replaced")
    future = process.runner.order(order)
    closes: list[BreakerState] = []
    process.after_batch = lambda _: closes.append(process.assembly.gate.breaker.state)
    process.run()
    assert future.result().accepted
    assert closes[0] is BreakerState.HALF_OPEN
    assert BreakerState.HALTED not in closes[:5], "the next closes mark the account against the new peak"
    (reference,) = decoded(process.assembly, "peak_reference")
    assert (reference["actor"], reference["reason"]) == ("ada", "the model was replaced")
    assert reference["before"] == peak
    assert reference["after"] < peak
    head = process.assembly.journal.head_hash

    process = account.process()
    process.journal._db.execute("DELETE FROM checkpoint")
    process.run()
    assert process.assembly.journal.head_hash == head
    assert len(decoded(process.assembly, "peak_reference")) == 1


def test_a_rearm_for_another_cause_leaves_the_peak_alone(tmp_path: Path) -> None:
    account = Account(tmp_path, lambda: synthetic(300, seed=61), SETTINGS)
    process = account.process()
    process.runner.order(BreakerOrder(BreakerAction.TRIP, "account", "ada", "look"))
    process.runner.order(BreakerOrder(BreakerAction.REARM, "account", "ada", "looked"))
    process.run()
    assert process.assembly.gate.breaker.state is BreakerState.HALF_OPEN
    assert decoded(process.assembly, "peak_reference") == []
