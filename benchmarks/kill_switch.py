"""`python -m benchmarks.kill_switch`: how long after a kill file the last order goes out, under load.

Each run is an agent that trades every setup flat out, beside an event loop that a task never gives back. Its kill file
is written at some moment; measured from there: the latch, the last order that reached the venue, and the moment at
which no order of ours is open but those that protect a position. A trip of the breaker is measured beside it, journal
commit included, in the grade that survives the death of the process.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from smc_trading_agent.domain.clock import monotonic_ns
from smc_trading_agent.domain.reasons import BreakerCause, BreakerState
from smc_trading_agent.domain.settings import AppSettings, DecisionSettings, RiskSettings, Settings, SyntheticSettings
from smc_trading_agent.domain.types import ApprovedOrder, VenueReport
from smc_trading_agent.runtime.agent import Agent
from smc_trading_agent.runtime.kill_switch import KILL_FILE
from smc_trading_agent.runtime.launch import LaunchOptions, launch_agent

MS = 1_000_000
POLL_S = 0.0002
PATIENCE_NS = 20_000 * MS


@dataclass(frozen=True)
class Drill:
    """Milliseconds after the kill file was there; ``last_order_ms`` is None where no order went out after it."""

    latched_ms: float
    last_order_ms: float | None
    cancelled_ms: float
    journalled_ms: float
    sent_before: int
    left_open: int


def drill(folder: Path, seed: int) -> Drill:
    """One agent, one kill."""
    settings = Settings(
        app=AppSettings(state_dir=str(folder)),
        synthetic=SyntheticSettings(seed=seed),
        decision=DecisionSettings(take_every_setup=True, time_limit_bars=10, min_reward_risk=0.3),
        risk=RiskSettings(max_daily_loss=1.0, halt_daily_loss=1.0, max_drawdown=1.0),
    )
    agent = launch_agent(settings, LaunchOptions(speed="max", fast_forward=0), {})
    sent = _watched(agent)
    with _blocked_loop():
        agent.start()
        _until(lambda: len(sent) > 60)
        began = monotonic_ns()
        (folder / KILL_FILE).touch()
        latched = _until(lambda: agent.assembly.latch.engaged)
        cancelled = _until(lambda: not _open_beyond_protection(agent))
        journalled = _until(lambda: agent.assembly.gate.breaker.state is BreakerState.KILLED)
        agent.stop()
    after = [at for at in sent if at > began]
    return Drill(
        latched_ms=(latched - began) / MS,
        last_order_ms=(after[-1] - began) / MS if after else None,
        cancelled_ms=(cancelled - began) / MS,
        journalled_ms=(journalled - began) / MS,
        sent_before=len(sent) - len(after),
        left_open=len(agent.assembly.venue.open_orders()),
    )


def trip_ms(folder: Path) -> float:
    """Milliseconds of one trip to HALTED, from the call until an entry would be refused, journal commit included."""
    settings = Settings(app=AppSettings(state_dir=str(folder)))
    agent = launch_agent(settings, LaunchOptions(speed="max", fast_forward=0, length=1), {})
    breaker = agent.assembly.gate.breaker
    began = monotonic_ns()
    breaker.trip(BreakerState.HALTED, BreakerCause.OPERATOR, "measured")
    blocked = not breaker.lets_exposure_grow
    taken = monotonic_ns() - began
    agent.start()
    agent.stop()
    if not blocked:
        raise AssertionError("the breaker was tripped and lets entries pass")
    return taken / MS


def main() -> None:
    """Prints the slowest, the median and the fastest of some drills."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--runs", type=int, default=20)
    runs = parser.parse_args().runs
    drills, trips = [], []
    for run in range(runs):
        with tempfile.TemporaryDirectory() as folder:
            drills.append(drill(Path(folder), seed=61 + run))
        with tempfile.TemporaryDirectory() as folder:
            trips.append(trip_ms(Path(folder)))
    late = [one.last_order_ms for one in drills if one.last_order_ms is not None]
    table = Table("milliseconds after the kill file", "fastest", "median", "slowest", "n")
    table.add_row("latch set: nothing new from here on", *_spread([one.latched_ms for one in drills]))
    table.add_row("last order at the venue, where one came after", *_spread(late))
    table.add_row("our orders cancelled, protection apart", *_spread([one.cancelled_ms for one in drills]))
    table.add_row("journalled by the trading thread", *_spread([one.journalled_ms for one in drills]))
    table.add_row("beside it: a trip of the breaker, in process", *_spread(trips))
    console = Console()
    console.print(table)
    console.print(
        f"orders before the kill: {sum(one.sent_before for one in drills):,}; "
        f"protective orders left open: {sum(one.left_open for one in drills)}"
    )


def _watched(agent: Agent) -> list[int]:
    """The times at which orders reached the venue, as they come."""
    inner, sent = agent.assembly.venue.inner, list[int]()
    submit = inner.submit

    def watched(order: ApprovedOrder, now: int) -> list[VenueReport]:
        reports = submit(order, now)
        sent.append(monotonic_ns())
        return reports

    inner.submit = watched  # type: ignore[method-assign]
    return sent


def _open_beyond_protection(agent: Agent) -> list[str]:
    still = set(agent.assembly.venue.open_orders())
    return [key for key in agent.assembly.engine.to_kill() if key in still]


@contextmanager
def _blocked_loop() -> Iterator[None]:
    free = threading.Event()

    async def hog() -> None:
        while not free.is_set():
            sum(range(1_000))

    thread = threading.Thread(target=lambda: asyncio.run(hog()))
    thread.start()
    try:
        yield
    finally:
        free.set()
        thread.join()


def _until(holds: Callable[[], bool]) -> int:
    """Polls until ``holds``, and says when it did."""
    began, pause = monotonic_ns(), threading.Event()
    while not holds():
        if monotonic_ns() - began > PATIENCE_NS:
            raise AssertionError("it did not come to hold within 20 s")
        pause.wait(POLL_S)
    return monotonic_ns()


def _spread(values: list[float]) -> tuple[str, str, str, str]:
    ordered = sorted(values)
    if not ordered:
        return "none", "none", "none", "0"
    middle = ordered[len(ordered) // 2]
    return f"{ordered[0]:.2f}", f"{middle:.2f}", f"{ordered[-1]:.2f}", str(len(ordered))


if __name__ == "__main__":
    main()
