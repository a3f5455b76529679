"""The base-rate forecaster: how often setups of a kind have won so far, against what chance alone would give.

For a driftless price the probability of reaching a target at R times the risk before the stop is 1 / (1 + R),
whatever the path and whatever the time limit (optional stopping; an exit between the barriers counts as its
share of the way). The forecaster estimates one number for each kind of setup, the shift in log-odds by which
its setups beat or miss that law, shrunk towards zero by `prior_strength` setups' worth of belief in chance:

    shift = sum(outcome - chance) / (sum(chance * (1 - chance)) + prior_strength / 4)

(one Newton step of a logistic regression with an offset and a Gaussian prior). It is the baseline that trained
models must beat. Only setups that have ended are learned from, when they end; every setup is followed, taken or not.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import msgspec

from smc_trading_agent._core import Bar, BarrierTracker, Bars
from smc_trading_agent.domain.costs import CostModel
from smc_trading_agent.domain.reasons import ForecastSource
from smc_trading_agent.domain.settings import DecisionSettings
from smc_trading_agent.domain.types import Decision, Forecast, HeldTrade, Setup


class KindRecord(msgspec.Struct):
    """Sums over the resolved setups of one kind."""

    samples: int = 0
    wins: float = 0.0
    surplus: float = 0.0
    information: float = 0.0


class Followed(msgspec.Struct):
    """A setup whose outcome is still open."""

    kind: str
    side: int
    entry: int
    stop: int
    target: int

    def share_won(self, exit_price: int) -> float:
        """Share of the way from stop to target at the exit, in [0, 1]."""
        travelled = (exit_price - self.stop) * self.side
        return min(1.0, max(0.0, travelled / abs(self.target - self.stop)))


class Resolved(NamedTuple):
    """A setup whose outcome became known; None where its entry never filled."""

    setup_id: str
    won: float | None


class BaseRateState(msgspec.Struct):
    """Everything the forecaster remembers."""

    records: dict[str, KindRecord] = {}
    followed: dict[str, Followed] = {}
    tracker: bytes = b""
    newest: int = 0
    newest_ids: list[str] = []


class BaseRateForecaster:
    """P(win) of a setup from the record of its kind; see the module for the formula."""

    def __init__(self, costs: CostModel, settings: DecisionSettings) -> None:
        self._costs = costs
        self._prior = settings.prior_strength / 4.0
        self._state = BaseRateState()
        self._tracker = BarrierTracker()

    def observe(self, bars: Bars, start: int, stop: int) -> None:
        """Learns from the setups that these bars ended."""
        self.resolve(bars, start, stop)

    def resolve(self, bars: Bars, start: int, stop: int) -> list[Resolved]:
        """Learns from the setups that these bars ended, and says which they were."""
        if self._tracker.open_count == 0:
            return []
        resolved = []
        for ended in self._tracker.on_bars(bars, start, stop):
            setup = self._state.followed.pop(ended.key)
            won = None if ended.outcome == "unfilled" else setup.share_won(ended.exit_price)
            if won is not None:
                self._learn(setup, won)
            resolved.append(Resolved(ended.key, won))
        return resolved

    def on_close(self, features: tuple[float, ...]) -> None:
        """Base rates rest on no features."""

    def settle(self) -> None:
        """Nothing is left to do."""

    def taken(self, decision: Decision) -> None:
        """Base rates say nothing of what is held."""

    def leaves(self, held: HeldTrade, bar: Bar) -> bool:
        """Never."""
        return False

    def follows(self, setup_id: str) -> bool:
        """Whether the outcome of a setup is still open."""
        return setup_id in self._state.followed

    def forecast(self, setup: Setup, recorded: Forecast | None = None) -> Forecast:
        """The probability of winning, with the break-even probability and the record it rests on."""
        record = self._state.records.get(setup.kind, KindRecord())
        chance = setup.risk_ticks / (setup.risk_ticks + setup.reward_ticks)
        shift = record.surplus / (record.information + self._prior)
        return Forecast(
            setup_id=setup.setup_id,
            source=ForecastSource.BASE_RATE,
            probability=1.0 / (1.0 + (1.0 - chance) / chance * math.exp(-shift)),
            break_even=self._costs.break_even(setup.entry, setup.stop, setup.target),
            chance=chance,
            samples=record.samples,
            wins=record.wins,
        )

    def follow(self, setup: Setup) -> None:
        """Starts watching a setup; its virtual bracket fills by the same rules as the simulated venue.

        Setups come in the order they were detected. One that is judged again is learned from once all the same.
        """
        state = self._state
        if setup.detected_at < state.newest or setup.setup_id in state.newest_ids:
            return
        self._tracker.add(
            setup.setup_id,
            setup.side,
            setup.entry,
            setup.stop,
            setup.target,
            setup.detected_at,
            setup.entry_expires_at,
            setup.time_limit_ns,
        )
        state.followed[setup.setup_id] = Followed(setup.kind, setup.side, setup.entry, setup.stop, setup.target)
        if setup.detected_at > state.newest:
            state.newest, state.newest_ids = setup.detected_at, []
        state.newest_ids.append(setup.setup_id)

    def snapshot(self) -> bytes:
        """The whole state."""
        self._state.tracker = self._tracker.snapshot()
        return msgspec.msgpack.encode(self._state)

    def restore(self, data: bytes) -> None:
        """Continues exactly from a snapshot."""
        self._state = msgspec.msgpack.decode(data, type=BaseRateState)
        self._tracker = BarrierTracker.from_snapshot(self._state.tracker)

    def _learn(self, setup: Followed, won: float) -> None:
        risk, reward = abs(setup.entry - setup.stop), abs(setup.target - setup.entry)
        chance = risk / (risk + reward)
        record = self._state.records.setdefault(setup.kind, KindRecord())
        record.samples += 1
        record.wins += won
        record.surplus += won - chance
        record.information += chance * (1.0 - chance)
