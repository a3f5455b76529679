"""Threads that run experts for a caller who may leave before they are done.

A unit is what a lane takes at a time: one expert, or all that are fused into one graph. An expert in ``busy`` has
work that was asked for and has not ended; nobody asks it again before.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import threading
from collections.abc import Sequence
from contextlib import suppress
from queue import SimpleQueue
from typing import Protocol

import msgspec

from smc_trading_agent.decision_engine.ensemble.experts import Expert
from smc_trading_agent.decision_engine.ensemble.group import FusedExperts
from smc_trading_agent.decision_engine.ensemble.sessions import Row
from smc_trading_agent.domain.reasons import VoteStatus


class Answer(msgspec.Struct, frozen=True):
    """What an expert gave: raw log-odds if the status is COUNTED, else None; the error's text where it failed."""

    status: VoteStatus
    log_odds: float | None = None
    error: str = ""


LATE, NOT_A_NUMBER = Answer(VoteStatus.LATE), Answer(VoteStatus.NOT_A_NUMBER)


def vote_of(expert: Expert, context: Row) -> Answer:
    """An expert's vote on a scaled context row (C,), or what kept it from giving one."""
    try:
        log_odds = expert.vote(context)
    except Exception as error:  # noqa: BLE001  whatever a model raises costs its vote, and is told in the forecast
        return Answer(VoteStatus.FAILED, None, f"{type(error).__name__}: {error}")
    return Answer(VoteStatus.COUNTED, log_odds) if math.isfinite(log_odds) else NOT_A_NUMBER


def step_of(expert: Expert) -> None:
    """A step that fails leaves its close waiting; the vote that needs it fails by itself and says why."""
    with suppress(Exception):
        expert.advance()


def bits_of(experts: Sequence[Expert], close: Row, context: Row) -> str:
    """A hash of the votes on a sample ``close`` (F,) and ``context`` (C,): machines that round alike have the same.

    The experts' state is as before.
    """
    votes = []
    for expert in experts:
        state = expert.snapshot()
        expert.on_close(close)
        votes.append(vote_of(expert, context).log_odds)
        expert.restore(state)
    return hashlib.blake2b(repr(votes).encode(), digest_size=4).hexdigest()


class Unit(Protocol):
    """See the module. ``names`` are its experts', in the order of the answers."""

    names: tuple[str, ...]

    def work(self, context: Row | None) -> Sequence[Answer]:
        """Votes on a scaled context row (C,); None is a step, which gives no answers."""


class Alone:
    """One expert."""

    def __init__(self, expert: Expert) -> None:
        self.expert = expert
        self.names: tuple[str, ...] = (expert.name,)

    def work(self, context: Row | None) -> Sequence[Answer]:
        """Its vote, or its step."""
        if context is None:
            step_of(self.expert)
            return ()
        return (vote_of(self.expert, context),)


class Together:
    """Experts that are fused; where their run fails, each votes alone, so that a failure costs its own vote only."""

    def __init__(self, group: FusedExperts) -> None:
        self.group = group
        self.names = tuple(expert.name for expert in group.experts)

    def work(self, context: Row | None) -> Sequence[Answer]:
        """Their votes; steps are each expert's own."""
        if context is None:
            return ()
        try:
            said = self.group.vote(context)
        except Exception:  # noqa: BLE001  who raised it, and what, is found by asking each
            said = None
        if said is None:
            return [vote_of(expert, context) for expert in self.group.experts]
        return [Answer(VoteStatus.COUNTED, each) if math.isfinite(each) else NOT_A_NUMBER for each in said]


class Batch:
    """Units that lanes claim one by one. Claims and ends are counted by `itertools.count`, which is atomic."""

    __slots__ = ("_busy", "_claims", "_context", "_done", "_ends", "answers", "claimed", "units")

    def __init__(self, units: Sequence[Unit], context: Row | None, busy: set[str]) -> None:
        """``context`` (C,) of the votes, None for steps. Experts are in ``busy`` from now until their work ends."""
        self.units = units
        self.answers: list[Sequence[Answer] | None] = [None] * len(units)
        self.claimed = 0
        self._context, self._busy = context, busy
        self._claims, self._ends = itertools.count(), itertools.count(1)
        self._done = threading.Lock()
        self._done.acquire()
        for unit in units:
            busy.update(unit.names)

    def run(self) -> None:
        """Works until no unit is unclaimed."""
        count = len(self.units)
        while (index := next(self._claims)) < count:
            self.claimed = max(self.claimed, index + 1)
            unit = self.units[index]
            self.answers[index] = unit.work(self._context)
            self._busy.difference_update(unit.names)
            if next(self._ends) == count:
                self._done.release()

    def abandon(self) -> None:
        """Claims what was not begun, so that nobody will."""
        count = len(self.units)
        for index in itertools.takewhile(lambda index: index < count, self._claims):
            self._busy.difference_update(self.units[index].names)

    def wait(self, seconds: float) -> bool:
        """Whether all work ended within ``seconds``; asked again only after it was not so."""
        return self._done.acquire(timeout=max(0.0, seconds))


class Lanes:
    """Daemon threads that work off batches."""

    def __init__(self, count: int, most: int) -> None:
        self._inbox: SimpleQueue[Batch | None] = SimpleQueue()
        self._most = most
        self._threads: list[threading.Thread] = []
        self.count = count
        for _ in range(count):
            self._start()

    def submit(self, batch: Batch) -> None:
        """Offers a batch to as many lanes as can be of use."""
        for _ in range(min(self.count, len(batch.units))):
            self._inbox.put(batch)

    def spare(self, batch: Batch) -> None:
        """Adds a lane for what nobody has begun, unless there are as many as there may be."""
        if len(self._threads) < self._most:
            self._start()
            self._inbox.put(batch)

    def close(self) -> None:
        """Lets every lane end once it is free."""
        for _ in self._threads:
            self._inbox.put(None)

    def _start(self) -> None:
        thread = threading.Thread(target=self._work, name=f"expert-lane-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while (batch := self._inbox.get()) is not None:
            batch.run()
