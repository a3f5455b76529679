"""The seal: made for one order by one gateway, broken by any change."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from smc_trading_agent.domain.errors import UnsealedOrder
from smc_trading_agent.domain.reasons import OrderPurpose
from smc_trading_agent.domain.seal import ApprovalSeal
from smc_trading_agent.domain.types import ApprovedOrder
from tests.factories import KEY, order

CHANGED: dict[str, Any] = {
    "client_order_id": "d0123456789abcdef0123-stop",
    "decision_id": "d0",
    "instrument": "test:ETHUSDT",
    "purpose": OrderPurpose.EXIT,
    "kind": "market",
    "side": -1,
    "quantity": 11,
    "price": 500_001,
    "expires_at": 0,
    "reduce_only": True,
    "parent": "d1",
    "seal": b"\x00" * 16,
}
texts = st.text(alphabet="ab|,: \x1f", max_size=4)
orders = st.builds(
    order,
    client_order_id=texts,
    decision_id=texts,
    instrument=texts,
    kind=texts,
    parent=texts,
    side=st.sampled_from([1, -1]),
    quantity=st.integers(1, 30),
    price=st.integers(0, 30),
    expires_at=st.integers(0, 30),
    reduce_only=st.booleans(),
)


def test_a_sealed_order_passes_and_is_otherwise_unchanged() -> None:
    seal, plain = ApprovalSeal(KEY), order()
    sealed = seal.sign(plain)
    seal.verify(sealed)
    assert msgspec.structs.replace(sealed, seal=b"") == plain
    assert seal.sign(sealed) == sealed


def test_every_field_has_a_changed_value_here() -> None:
    assert set(CHANGED) == set(ApprovedOrder.__struct_fields__)


@pytest.mark.parametrize("field", CHANGED)
def test_a_changed_field_breaks_it(field: str) -> None:
    seal = ApprovalSeal(KEY)
    forged = msgspec.structs.replace(seal.sign(order()), **{field: CHANGED[field]})
    with pytest.raises(UnsealedOrder, match=forged.client_order_id):
        seal.verify(forged)


@pytest.mark.parametrize("signature", [b"", b"\x00", b"\x00" * 16, b"\x00" * 64])
def test_a_guess_does_not_pass(signature: bytes) -> None:
    with pytest.raises(UnsealedOrder):
        ApprovalSeal(KEY).verify(order(seal=signature))


@given(one=orders, other=orders)
def test_different_orders_have_different_seals(one: ApprovedOrder, other: ApprovedOrder) -> None:
    assume(one != other)
    seal = ApprovalSeal(KEY)
    assert seal.sign(one).seal != seal.sign(other).seal


def test_text_can_not_move_from_one_field_to_the_next() -> None:
    seal = ApprovalSeal(KEY)
    one = seal.sign(order(client_order_id="a|b", decision_id="c"))
    with pytest.raises(UnsealedOrder):
        seal.verify(msgspec.structs.replace(one, client_order_id="a", decision_id="b|c"))


@given(key=st.binary(min_size=16, max_size=64))
def test_another_key_makes_another_seal(key: bytes) -> None:
    assume(key != KEY)
    with pytest.raises(UnsealedOrder):
        ApprovalSeal(KEY).verify(ApprovalSeal(key).sign(order()))


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes or more, got 15"):
        ApprovalSeal(b"\x01" * 15)
    ApprovalSeal(b"\x01" * 16)
