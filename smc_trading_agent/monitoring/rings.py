"""A bounded run of items that numbers what passes through it, so that a reader can ask for what it hasn't seen."""

from __future__ import annotations

from collections import deque
from itertools import islice
from typing import Generic, TypeVar

T = TypeVar("T")


class Ring(Generic[T]):
    """The newest ``capacity`` items, oldest first. Not thread-safe: its owner holds the lock."""

    def __init__(self, capacity: int) -> None:
        if capacity < 1:
            raise ValueError(f"a ring needs a capacity of 1 or more, got {capacity}")
        self._items: deque[T] = deque(maxlen=capacity)
        self._total = 0

    @property
    def total(self) -> int:
        """How many items were ever added."""
        return self._total

    @property
    def last(self) -> T | None:
        """The newest item, None while there is none."""
        return self._items[-1] if self._items else None

    def __len__(self) -> int:
        return len(self._items)

    def append(self, item: T) -> None:
        """Adds an item; the oldest one leaves when the ring is full."""
        self._items.append(item)
        self._total += 1

    def covers(self, seen: int) -> bool:
        """Whether every item after the first ``seen`` ones is still here."""
        return self._total - seen <= len(self._items)

    def since(self, seen: int, limit: int) -> list[T]:
        """Items after the first ``seen`` ones, oldest first, and of them the newest ``limit``."""
        count = max(0, min(self._total - seen, len(self._items), limit))
        return list(islice(self._items, len(self._items) - count, None))
