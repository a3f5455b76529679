"""The public names: each has a meaning, none has two, and severity orders them."""

from __future__ import annotations

import re

import pytest

from smc_trading_agent.domain.clock import MarketClock, SystemClock, monotonic_ns
from smc_trading_agent.domain.reasons import (
    PUBLIC_BREAKER_WORD,
    REFUSAL_MEANINGS,
    BreakerCause,
    BreakerSeverity,
    BreakerState,
    OrderPurpose,
    RefusalReason,
    SetupKind,
    severity,
)
from smc_trading_agent.domain.settings import Settings


def test_every_refusal_has_one_meaning_of_its_own() -> None:
    assert list(REFUSAL_MEANINGS) == list(RefusalReason)
    assert len(set(REFUSAL_MEANINGS.values())) == len(RefusalReason)
    assert all(len(meaning.split()) >= 5 for meaning in REFUSAL_MEANINGS.values())


def test_a_meaning_that_names_a_setting_names_one_that_exists() -> None:
    settings = Settings().model_dump()
    named = [match for text in REFUSAL_MEANINGS.values() for match in re.findall(r"\b(risk|decision)\.(\w+)", text)]
    assert len(named) > 8
    for section, key in named:
        assert key in settings[section]


def test_every_breaker_state_has_one_of_the_three_public_words() -> None:
    assert set(PUBLIC_BREAKER_WORD) == set(BreakerState)
    assert set(PUBLIC_BREAKER_WORD.values()) == {"closed", "open", "half_open"}
    assert [state for state, word in PUBLIC_BREAKER_WORD.items() if word == "closed"] == [BreakerState.ACTIVE]
    assert [state for state, word in PUBLIC_BREAKER_WORD.items() if word == "half_open"] == [BreakerState.HALF_OPEN]


def test_severity_orders_all_states() -> None:
    assert {state.name for state in BreakerState} == {level.name for level in BreakerSeverity}
    rising = ["active", "half_open", "reducing", "starting", "halted", "killed"]
    assert sorted(BreakerState, key=severity) == rising
    assert len({severity(state) for state in BreakerState}) == len(BreakerState)


@pytest.mark.parametrize("names", [RefusalReason, BreakerState, BreakerCause, SetupKind, OrderPurpose])
def test_public_names_are_lower_snake_case_of_the_member(names: type[RefusalReason]) -> None:
    assert [member.value for member in names] == [member.name.lower() for member in names]


def test_the_market_clock_stands_still_and_never_goes_back() -> None:
    clock = MarketClock(5)
    assert [clock.now(), clock.now()] == [5, 5]
    clock.advance_to(9)
    clock.advance_to(7)
    assert clock.now() == 9


def test_the_machine_clocks_run_forward() -> None:
    clock = SystemClock()
    first, second = clock.now(), clock.now()
    assert 1_600_000_000 * 10**9 < first <= second
    assert monotonic_ns() <= monotonic_ns()
