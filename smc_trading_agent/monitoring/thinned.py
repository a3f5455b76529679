"""A whole run in bounded memory: the longer it gets, the fewer of its points are kept, evenly."""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Thinned(Generic[T]):
    """Every ``stride``-th item from the first on, never more than ``capacity``; a full run doubles its stride.

    ``generation`` counts the doublings: a reader that has seen another generation starts over.
    Not thread-safe: its owner holds the lock.
    """

    def __init__(self, capacity: int) -> None:
        if capacity < 2:
            raise ValueError(f"a thinned run needs a capacity of 2 or more, got {capacity}")
        self._capacity = capacity
        self._items: list[T] = []
        self._added = 0
        self.generation = 0

    def __len__(self) -> int:
        return len(self._items)

    def append(self, item: T) -> None:
        """Adds an item, or passes over it."""
        if self._added % (1 << self.generation) == 0:
            if len(self._items) == self._capacity:
                self._items = self._items[::2]
                self.generation += 1
            if self._added % (1 << self.generation) == 0:
                self._items.append(item)
        self._added += 1

    def since(self, seen: int) -> list[T]:
        """Items after the first ``seen`` that are kept."""
        return self._items[seen:]
