"""An intent only where the forecast beats break-even on enough evidence; everything else says why not."""

from __future__ import annotations

import math
from typing import Any

import pytest

from smc_trading_agent.decision_engine.policy import STAGE, BreakEvenPolicy
from smc_trading_agent.domain.ids import content_id
from smc_trading_agent.domain.reasons import OrderPurpose, RefusalReason
from smc_trading_agent.domain.settings import DecisionSettings
from smc_trading_agent.domain.types import Intent, Refusal
from tests.factories import forecast, setup

EVIDENCE, EDGE = RefusalReason.INSUFFICIENT_EVIDENCE, RefusalReason.BELOW_BREAK_EVEN


def decide(settings: dict[str, Any] | None = None, **of_forecast: Any) -> Intent | Refusal:
    plain: dict[str, Any] = {"min_samples": 40, "min_edge": 0.0, "take_every_setup": False}
    return BreakEvenPolicy(DecisionSettings(**(plain | (settings or {})))).decide(setup(), forecast(**of_forecast))


@pytest.mark.parametrize(
    ("of_forecast", "settings", "reasons"),
    [
        ({"probability": 0.4, "break_even": 0.4}, {}, []),
        ({"probability": math.nextafter(0.4, 0), "break_even": 0.4}, {}, [EDGE]),
        ({"probability": math.nextafter(0.4, 1), "break_even": 0.4}, {}, []),
        ({"probability": 0.75, "break_even": 0.5}, {"min_edge": 0.25}, []),
        ({"probability": math.nextafter(0.75, 0), "break_even": 0.5}, {"min_edge": 0.25}, [EDGE]),
        ({"probability": 0.9, "break_even": 1.0}, {}, [EDGE]),
        ({"samples": 40}, {}, []),
        ({"samples": 39}, {}, [EVIDENCE]),
        ({"samples": 41}, {}, []),
        ({"samples": 0, "probability": 0.1}, {}, [EVIDENCE, EDGE]),
        ({"probability": math.nan}, {}, [EDGE]),
        ({"break_even": math.nan}, {}, [EDGE]),
        ({"probability": -math.inf}, {}, [EDGE]),
        ({"samples": 0, "probability": 0.1}, {"take_every_setup": True}, []),
    ],
)
def test_boundary(of_forecast: dict[str, Any], settings: dict[str, Any], reasons: list[RefusalReason]) -> None:
    outcome = decide(settings, **of_forecast)
    if not reasons:
        assert isinstance(outcome, Intent)
        return
    assert isinstance(outcome, Refusal)
    assert [detail.reason for detail in outcome.details] == reasons
    assert (outcome.stage, outcome.time) == (STAGE, setup().detected_at)


def test_a_refusal_shows_the_numbers() -> None:
    outcome = decide({"min_edge": 0.02}, samples=3, probability=0.41234, break_even=0.4)
    assert isinstance(outcome, Refusal)
    assert [detail.context for detail in outcome.details] == [
        {"samples": "3", "min_samples": "40"},
        {"probability": "0.4123", "break_even": "0.4000", "min_edge": "0.0200"},
    ]


def test_the_intent_is_the_setup_and_its_probability() -> None:
    outcome, wish = decide(), setup()
    assert outcome == Intent(
        decision_id=content_id("d", wish.setup_id),
        instrument=wish.instrument,
        purpose=OrderPurpose.ENTRY,
        side=wish.side,
        price=wish.entry,
        stop=wish.stop,
        target=wish.target,
        created_at=wish.detected_at,
        expires_at=wish.entry_expires_at,
        probability=0.5,
        time_limit_ns=wish.time_limit_ns,
    )


def test_taken_or_refused_a_setup_has_one_decision_id() -> None:
    assert decide().decision_id == decide(samples=0).decision_id
