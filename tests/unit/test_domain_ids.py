"""Identifiers are pure functions that any venue accepts."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from smc_trading_agent.domain.ids import CLIENT_ID_LENGTH, client_order_id, content_id
from smc_trading_agent.domain.reasons import OrderPurpose

parts = st.lists(st.one_of(st.text(max_size=8), st.integers()), min_size=1, max_size=4)


@given(prefix=st.sampled_from("dsx"), content=parts)
def test_ids_are_short_and_of_a_plain_alphabet(prefix: str, content: list[object]) -> None:
    made = content_id(prefix, *content)
    assert re.fullmatch(prefix + "[0-9a-f]{20}", made)
    for purpose in OrderPurpose:
        client = client_order_id(made, purpose)
        assert len(client) <= CLIENT_ID_LENGTH <= 36
        assert re.fullmatch(r"[A-Za-z0-9_-]+", client)


@given(one=parts, other=parts)
def test_different_content_has_different_ids(one: list[object], other: list[object]) -> None:
    assume("\x1f".join(map(str, one)) != "\x1f".join(map(str, other)))
    assert content_id("d", *one) != content_id("d", *other)


def test_where_a_part_ends_matters() -> None:
    assert content_id("d", "ab", "c") != content_id("d", "a", "bc")


def test_ids_are_the_same_in_every_process(repository: Path) -> None:
    code = "from smc_trading_agent.domain.ids import content_id; print(content_id('d', 'binance:BTCUSDT', 7))"
    runs = [
        subprocess.run([sys.executable, "-c", code], cwd=repository, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert runs == [content_id("d", "binance:BTCUSDT", 7) + "\n"] * 2


def test_the_orders_of_a_decision_have_different_ids() -> None:
    assert len({client_order_id("d1", purpose) for purpose in OrderPurpose}) == len(OrderPurpose)


@pytest.mark.parametrize(("length", "fits"), [(29, True), (30, False)])
def test_an_id_that_would_be_cut_is_refused(length: int, fits: bool) -> None:
    decision = "d" * length
    if fits:
        assert len(client_order_id(decision, OrderPurpose.TARGET)) == 36
        return
    with pytest.raises(ValueError, match="longer than 36"):
        client_order_id(decision, OrderPurpose.TARGET)
