"""What the gate remembers of the market's decision bars: how much it moves, how much is traded, whether it jumped."""

from __future__ import annotations

import math

import msgspec

from smc_trading_agent._core import Bar
from smc_trading_agent.domain.costs import PPM

DAY_NS = 86_400_000_000_000
DECAY = 0.94
"""Weight of yesterday's variance: RiskMetrics Technical Document, fourth edition (J.P. Morgan/Reuters 1996), 5.3.2."""
ROBUST = math.sqrt(math.pi / 2)
"""Standard deviations in a mean absolute deviation of a normal distribution."""


class MarketReadings(msgspec.Struct, frozen=True):
    """What orders are judged by; see the properties of `MarketMemory`."""

    closes: int
    day_sigma_ppm: int
    jump_millis: int
    day_volume: int


class MarketMemory(msgspec.Struct):
    """Running statistics of logarithmic returns from close to close, and the traded lots of the last day.

    ``variance`` and ``deviation`` are exponentially weighted means of squares and of magnitudes;
    ``deviation_before`` is the latter without the last return, which a jump is measured against.
    """

    closes: int = 0
    last_close: int = 0
    last_time: int = 0
    bar_ns: int = 0
    variance: float = 0.0
    deviation: float = 0.0
    deviation_before: float = 0.0
    last_return: float = 0.0
    volume: int = 0
    volumes: list[tuple[int, int]] = []

    def add(self, bar: Bar) -> None:
        """Takes note of a closed decision bar; one that was seen before, or has no price, changes nothing."""
        if bar.close_time <= self.last_time or bar.close <= 0:
            return
        if self.closes:
            self._move(math.log(bar.close / self.last_close))
        self.closes += 1
        self.last_close, self.last_time, self.bar_ns = bar.close, bar.close_time, bar.close_time - bar.open_time
        self.volume += bar.volume
        self.volumes.append((bar.close_time, bar.volume))
        while self.volumes[0][0] <= bar.close_time - max(DAY_NS, self.bar_ns):
            self.volume -= self.volumes.pop(0)[1]

    def _move(self, change: float) -> None:
        size = abs(change)
        self.last_return, self.deviation_before = change, self.deviation
        if self.closes == 1:
            self.variance, self.deviation = change * change, size
            return
        self.variance = DECAY * self.variance + (1 - DECAY) * change * change
        self.deviation = DECAY * self.deviation + (1 - DECAY) * size

    def readings(self) -> MarketReadings:
        """All of it, worked out once a bar rather than once an order."""
        return MarketReadings(self.closes, self.day_sigma_ppm, self.jump_millis, self.day_volume)

    @property
    def day_sigma_ppm(self) -> int:
        """Standard deviation of a day's return by the square root of time, in ppm of the price, rounded up."""
        return 0 if self.bar_ns <= 0 else math.ceil(math.sqrt(self.variance * DAY_NS / self.bar_ns) * PPM)

    @property
    def jump_millis(self) -> int:
        """The last return in thousandths of a robust standard deviation of those before it, rounded up."""
        if self.last_return == 0.0:
            return 0
        scale = ROBUST * self.deviation_before
        return math.ceil(abs(self.last_return) / scale * 1_000) if scale > 0 else PPM * 1_000

    @property
    def day_volume(self) -> int:
        """Lots traded in a day: those of the last one, or a longer bar's share of one."""
        return self.volume * DAY_NS // max(DAY_NS, self.bar_ns)
