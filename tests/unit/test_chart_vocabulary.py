"""What can be drawn, and the spans that a person can write."""

from __future__ import annotations

import pytest

from smc_trading_agent._core import EVENT_KINDS
from smc_trading_agent.charts.span import Span, span_of
from smc_trading_agent.charts.vocabulary import CHANGES, CONCEPTS, DEFAULT_CONCEPTS, chosen, continued
from smc_trading_agent.domain.errors import ConfigError

DAY = 86_400_000_000_000
MARCH_5 = 19_787 * DAY  # 2024-03-05, in ns


def test_every_kind_is_a_concept_or_continues_one() -> None:
    assert set(CONCEPTS) | set(CHANGES) == set(EVENT_KINDS)
    assert {parent for parent, _ in CHANGES.values()} <= set(CONCEPTS)
    assert set(DEFAULT_CONCEPTS) <= set(CONCEPTS)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("fair_value_gap_half_filled", ("fair_value_gap", "half_filled")),
        ("inverse_fair_value_gap_touched", ("inverse_fair_value_gap", "touched")),
        ("liquidity_pool_swept", ("liquidity_pool", "swept")),
        ("mss_strict", None),
        ("power_of_three_distribution", None),
    ],
)
def test_a_record_of_a_life_is_told_by_its_name(kind: str, expected: tuple[str, str] | None) -> None:
    assert continued(kind) == expected


def test_concepts_are_chosen_by_name() -> None:
    assert chosen(None) == DEFAULT_CONCEPTS
    assert chosen("all") == CONCEPTS
    assert chosen(" fair_value_gap, order_block,") == ("order_block", "fair_value_gap")


@pytest.mark.parametrize("text", ["order_blocks", "order_block,fvg", "", "order_block_touched", "all,bos"])
def test_an_unknown_concept_is_refused_with_the_list(text: str) -> None:
    with pytest.raises(ConfigError) as refused:
        chosen(text)
    assert all(name in str(refused.value) for name in CONCEPTS)


def test_a_day_is_whole_and_a_time_is_exact() -> None:
    assert span_of("2024-03-05", "2024-03-05", None) == Span(MARCH_5, MARCH_5 + DAY)
    assert span_of("2024-03-05T06:00", "2024-03-05 12:00Z", "2024-03-05T11:00:00+01:00") == Span(
        MARCH_5 + DAY // 4, MARCH_5 + DAY // 2, MARCH_5 + DAY * 10 // 24
    )
    assert span_of(None, None, None) == Span()


@pytest.mark.parametrize(
    ("times", "said"),
    [
        (("tomorrow", None, None), "--from 'tomorrow' is no time"),
        ((None, "2024-13-01", None), "--to '2024-13-01' is no time"),
        ((None, None, ""), "--as-of '' is no time"),
        (("2024-03-06", "2024-03-05", None), "--from 2024-03-06 is not before --to 2024-03-05"),
        (("2024-03-05", "2024-03-06", "2024-03-07"), "--as-of 2024-03-07 lies outside"),
        (("2024-03-05", None, "2024-03-05T00:00"), "--as-of 2024-03-05T00:00 lies outside"),
    ],
)
def test_a_time_that_cannot_be_meant_is_named(times: tuple[str | None, str | None, str | None], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        span_of(*times)
