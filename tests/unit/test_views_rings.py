from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smc_trading_agent.monitoring.rings import Ring


@given(
    items=st.lists(st.integers(), max_size=60), capacity=st.integers(1, 20), limit=st.integers(0, 30), data=st.data()
)
def test_a_ring_gives_exactly_what_a_reader_has_not_seen(
    items: list[int], capacity: int, limit: int, data: st.DataObject
) -> None:
    ring: Ring[int] = Ring(capacity)
    for item in items:
        ring.append(item)
    seen = data.draw(st.integers(0, len(items)))
    kept = items[-capacity:]
    unseen = items[seen:]
    assert ring.total == len(items)
    assert len(ring) == len(kept)
    assert ring.last == (items[-1] if items else None)
    assert ring.covers(seen) == (len(unseen) <= len(kept))
    expected = unseen[-min(limit, capacity) :] if limit else []
    assert ring.since(seen, limit) == expected


def test_a_ring_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity of 1 or more, got 0"):
        Ring(0)
