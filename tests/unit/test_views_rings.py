from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smc_trading_agent.monitoring.rings import Ring
from smc_trading_agent.monitoring.thinned import Thinned


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


@given(st.integers(0, 300), st.integers(2, 12))
def test_a_thinned_run_keeps_evenly_spaced_items_from_the_first_on(count: int, capacity: int) -> None:
    run: Thinned[int] = Thinned(capacity)
    for item in range(count):
        run.append(item)
    stride = 1 << run.generation
    assert run.since(0) == list(range(0, count, stride))
    assert len(run) <= capacity
    assert run.since(len(run) - 1) == run.since(0)[-1:] or not len(run)
    assert run.generation == 0 or count > capacity * stride // 2  # no thinner than it must be


def test_a_thinned_run_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="capacity of 2 or more, got 1"):
        Thinned(1)
