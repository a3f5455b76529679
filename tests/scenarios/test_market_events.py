"""What the whole agent does when the market does something: an outage, a crash, silence, a small account."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from smc_trading_agent._core import Bar, Bars
from smc_trading_agent.domain.settings import ExecutionSettings, RiskSettings, Settings
from smc_trading_agent.runtime.assembly import Assembly
from tests.runs import cut, decoded, eager, facts_of, run_whole, tape

MINUTE = 60_000_000_000
TAPE = tape(12_000, seed=7)


def changed(change: Callable[[int, Bar], Bar | None]) -> Bars:
    """The tape with each bar replaced, or left out where ``change`` gives None."""
    bars = (change(at, TAPE[at]) for at in range(len(TAPE)))
    return Bars.from_list("1m", [bar for bar in bars if bar is not None])


def moved(bar: Bar, ticks: int) -> Bar:
    prices = (price + ticks for price in (bar.open, bar.high, bar.low, bar.close))
    return Bar(bar.open_time, bar.close_time, *prices, bar.volume, bar.taker_buy_volume, bar.trades)


def scaled(bar: Bar, numerator: int, denominator: int) -> Bar:
    prices = (price * numerator // denominator for price in (bar.open, bar.high, bar.low, bar.close))
    return Bar(bar.open_time, bar.close_time, *prices, bar.volume, bar.taker_buy_volume, bar.trades)


def run(bars: Bars, settings: Settings) -> Assembly:
    assembly = run_whole(cut(bars, [64]), settings)
    assert assembly.coordinator.failures == {}
    account = assembly.engine.account(assembly.coordinator.last_close)
    assert assembly.venue.position == account.position
    assert assembly.engine.reconcile() == []
    return assembly


def brackets(assembly: Assembly) -> list[dict[str, Any]]:
    """Approvals of entries, with their stops and targets."""
    return [told for told in decoded(assembly, "approval") if len(told["orders"]) == 3]


def entries(assembly: Assembly) -> list[int]:
    """Times at which entries were approved."""
    return [told["time"] for told in brackets(assembly)]


def entry_of_a_long_trade(settings: Settings) -> int:
    """Index of the first bar after the entry of the first long that filled."""
    assembly = run(TAPE, settings)
    filled = next(
        told
        for told in decoded(assembly, "order_event")
        if told["purpose"] == "entry" and told["event"] == "fill_complete" and told["side"] > 0
    )
    return next(at for at in range(len(TAPE)) if TAPE[at].open_time >= filled["time"]) + 1


def test_a_crash_while_long_loses_more_than_planned_and_the_breaker_ends_the_day() -> None:
    """Price opens a fifth lower, through the stop: the fill is at the open, and the daily limit does the rest."""
    settings = eager(time_limit_bars=40).model_copy(update={"risk": RiskSettings(max_drawdown=1.0)})
    crash = entry_of_a_long_trade(settings)
    assembly = run(changed(lambda at, bar: bar if at < crash else scaled(bar, 4, 5)), settings)
    opened = scaled(TAPE[crash], 4, 5).open
    stop = next(
        told
        for told in decoded(assembly, "order_event")
        if told["purpose"] == "stop" and told["event"] == "fill_complete" and told["time"] >= TAPE[crash].open_time
    )
    assert stop["price"] <= opened
    causes = {(told["after"], told["cause"]) for told in decoded(assembly, "breaker")}
    assert ("halted", "daily_loss") in causes or ("reducing", "daily_loss") in causes
    next_day = (TAPE[crash].open_time // (1_440 * MINUTE) + 1) * 1_440 * MINUTE
    assert [time for time in entries(assembly) if TAPE[crash].close_time <= time < next_day] == []


def test_an_outage_of_a_day_is_survived_and_an_entry_that_waited_through_it_is_gone() -> None:
    settings = eager(time_limit_bars=40)
    assembly = run(TAPE, settings)
    waiting = next(at for at in range(len(TAPE)) if TAPE[at].close_time == entries(assembly)[2])
    assembly = run(changed(lambda at, bar: bar if at <= waiting or at > waiting + 1_440 else None), settings)
    decision = brackets(assembly)[2]["decision_id"]
    steps = [told["event"] for told in decoded(assembly, "order_event") if told["decision_id"] == decision]
    assert "expire" in steps
    assert not any(step.startswith("fill") for step in steps)
    assert entries(assembly)[-1] > TAPE[waiting].close_time + 1_440 * MINUTE


def test_a_position_held_into_an_outage_is_closed_when_the_market_comes_back() -> None:
    settings = eager(time_limit_bars=40)
    held = entry_of_a_long_trade(settings)
    back = held + 1_440
    unmoved = TAPE[held - 1].close - TAPE[back].open

    def outage(at: int, bar: Bar) -> Bar | None:
        return bar if at < held else moved(bar, unmoved) if at >= back else None

    assembly = run(changed(outage), settings)
    asked = [told["created_at"] for told in decoded(assembly, "exit_intent")]
    wish = next(time for time in asked if time > TAPE[held].open_time)
    assert TAPE[back].open_time <= wish <= TAPE[back + 3].close_time


def test_a_market_without_movement_gives_no_decision_and_no_error() -> None:
    flat = changed(lambda _, bar: Bar(bar.open_time, bar.close_time, 300_000, 300_000, 300_000, 300_000))
    assembly = run(flat, eager())
    assert decoded(assembly, "decision") == []
    assert [fact.kind for fact in facts_of(assembly)] == ["session", "limits", "breaker"]


def test_an_account_too_small_for_one_lot_is_refused_by_size_and_sends_nothing() -> None:
    assembly = run(TAPE, eager().model_copy(update={"execution": ExecutionSettings(start_cash="1")}))
    reasons = {detail["reason"] for told in decoded(assembly, "refusal") for detail in told["details"]}
    assert "size_below_minimum" in reasons
    assert decoded(assembly, "order_event") == []


def test_risk_limits_of_zero_mean_none_at_all() -> None:
    for limit in ("risk_per_trade", "max_order_notional", "max_position_notional", "max_leverage", "max_positions"):
        risk = RiskSettings.model_validate({limit: 0})
        assembly = run(TAPE.slice(0, 4_000), eager().model_copy(update={"risk": risk}))
        assert decoded(assembly, "decision") != []
        assert entries(assembly) == [], limit


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_by_default_nothing_trades_before_there_is_evidence(seed: int) -> None:
    assembly = run(tape(6_000, seed=seed), Settings())
    assert entries(assembly) == []
    for told in decoded(assembly, "refusal"):
        assert "insufficient_evidence" in {detail["reason"] for detail in told["details"]}


def test_no_trade_loses_more_than_its_risk_while_the_market_moves_bar_by_bar() -> None:
    """Stops fill at worst at the open of a bar; on this tape opens are closes, so the plan holds to a tenth."""
    assembly = run(TAPE, eager(time_limit_bars=40))
    instrument = assembly.market.instrument
    budgets = {
        told["decision_id"]: instrument.quote_from_str(told["limits"]["risk_budget"]) for told in brackets(assembly)
    }
    results: dict[str, int] = {}
    for told in decoded(assembly, "order_event"):
        if told["event"].startswith("fill") and told["decision_id"] in budgets:
            change = -told["side"] * told["quantity"] * told["price"] - told["fee"]
            results[told["decision_id"]] = results.get(told["decision_id"], 0) + change
    stopped = {
        told["decision_id"]
        for told in decoded(assembly, "order_event")
        if told["purpose"] == "stop" and told["event"] == "fill_complete"
    }
    assert len(stopped) > 5
    assert all(-results[decision] <= 1.1 * budgets[decision] for decision in stopped)
