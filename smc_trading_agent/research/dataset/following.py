"""One market, gone through once: its setups as the live agent finds them, and what became of each.

Reader, setups and context rows are the live agent's own code, called in the order in which the coordinator calls it;
brackets are followed on the file's own bars by the rules of the simulated venue. A row is finished at the close of its
setup, before any bar that comes after is looked at; what became of the setup is kept apart from it.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np

from smc_trading_agent._core import Bar, BarrierOutcome, BarrierTracker, Bars, Instrument
from smc_trading_agent.decision_engine.ensemble.inputs import context_row
from smc_trading_agent.decision_engine.setups import StructureSetups
from smc_trading_agent.decision_engine.training.samples import Floats
from smc_trading_agent.domain.costs import CostModel
from smc_trading_agent.domain.settings import Settings
from smc_trading_agent.domain.types import Setup
from smc_trading_agent.smc_detector.reader import MarketReader

REPORTED_EVERY = 1_024
"""Decision closes between two reports of progress."""


class Ending(msgspec.Struct, frozen=True):
    """What became of a bracket whose entry filled; times in ns, ``net_return`` in R after costs."""

    start: int
    end: int
    outcome: float
    net_return: float


class Followed(msgspec.Struct, frozen=True):
    """All decision closes of a market with their features (closes, F), and its setups in the order of detection.

    ``rows`` are the setups' context rows, ``positions`` the closes they belong to. By setup id: ``endings`` of those
    that ended, ``late`` of the same when entered one decision bar later; ``unfilled`` are those never entered.
    """

    bars: Bars
    features: Floats
    setups: tuple[Setup, ...]
    rows: tuple[Floats, ...]
    positions: tuple[int, ...]
    endings: dict[str, Ending]
    late: dict[str, Ending]
    unfilled: frozenset[str]


def net_return(costs: CostModel, side: int, entry: int, stop: int, ended: BarrierOutcome) -> float:
    """Return in R: the way from entry to exit less fees, over the risk. A target is left as maker, all else as taker.

    At stop and target it is what `CostModel.break_even` sets against each other; a gap through the stop costs more.
    """
    leaving = costs.maker_ticks if ended.outcome == "target" else costs.taker_ticks
    gained = (ended.exit_price - entry) * side - costs.maker_ticks(entry) - leaving(ended.exit_price)
    return gained / abs(entry - stop)


class _Brackets:
    """Virtual brackets by setup id, and what became of them."""

    def __init__(self, costs: CostModel) -> None:
        self._costs = costs
        self._tracker = BarrierTracker()
        self._open: dict[str, tuple[Setup, int]] = {}
        self.endings: dict[str, Ending] = {}
        self.unfilled: set[str] = set()

    def add(self, setup: Setup, entry: int, now: int) -> None:
        expires_at = now + (setup.entry_expires_at - setup.detected_at)
        self._tracker.add(
            setup.setup_id, setup.side, entry, setup.stop, setup.target, now, expires_at, setup.time_limit_ns
        )
        self._open[setup.setup_id] = setup, entry

    def read(self, bars: Bars, start: int, stop: int) -> None:
        if not self._open:
            return
        for ended in self._tracker.on_bars(bars, start, stop):
            setup, entry = self._open.pop(ended.key)
            if ended.outcome == "unfilled":
                self.unfilled.add(ended.key)
                continue
            way = (ended.exit_price - setup.stop) * setup.side / abs(setup.target - setup.stop)
            self.endings[ended.key] = Ending(
                start=ended.entered_at,
                end=ended.exited_at,
                outcome=min(1.0, max(0.0, way)),
                net_return=net_return(self._costs, setup.side, entry, setup.stop, ended),
            )


def follow(
    bars: Bars,
    instrument: Instrument,
    settings: Settings,
    costs: CostModel,
    progress: Callable[[int], None] = lambda _: None,
) -> Followed:
    """Goes through ``bars`` once; ``progress`` hears how many of them are done. `ConfigError` if timeframes clash."""
    structure = settings.structure
    reader = MarketReader(instrument, bars.timeframe, structure)
    finder = StructureSetups(
        instrument.key, structure.decision_timeframe, structure.context_timeframes[0], settings.decision
    )
    brackets, late = _Brackets(costs), _Brackets(costs)
    closed: list[Bar] = []
    features: list[tuple[float, ...]] = []
    setups: dict[str, Setup] = {}
    rows: list[Floats] = []
    positions: list[int] = []
    waiting: list[Setup] = []
    cursor = 0
    while cursor < len(bars):
        step = reader.advance(bars, cursor)
        brackets.read(bars, cursor, step.end)
        late.read(bars, cursor, step.end)
        cursor = step.end
        if step.decision_bar is None:
            continue
        bar = step.decision_bar
        for setup in waiting:
            if (bar.close - setup.stop) * setup.side > 0 and (setup.target - bar.close) * setup.side > 0:
                late.add(setup, bar.close, bar.close_time)
        waiting = []
        closed.append(bar)
        features.append(reader.features())
        for setup in finder.find(step, bar, reader):
            if setup.setup_id in setups:
                continue
            setups[setup.setup_id] = setup
            rows.append(context_row(setup, costs.break_even(setup.entry, setup.stop, setup.target)))
            positions.append(len(closed) - 1)
            brackets.add(setup, setup.entry, setup.detected_at)
            waiting.append(setup)
        if len(closed) % REPORTED_EVERY == 0:
            progress(cursor)
    progress(len(bars))
    return Followed(
        bars=Bars.from_list(structure.decision_timeframe, closed),
        features=np.array(features, dtype=np.float64).reshape(len(closed), -1),
        setups=tuple(setups.values()),
        rows=tuple(rows),
        positions=tuple(positions),
        endings=brackets.endings,
        late=late.endings,
        unfilled=frozenset(brackets.unfilled),
    )
