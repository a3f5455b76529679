"""What the API needs of the agent it stands before; the runtime fulfils it."""

from __future__ import annotations

from typing import Protocol

from smc_trading_agent._core import Instrument
from smc_trading_agent.domain.breaker import BreakerAnswer, BreakerOrder, BreakerView, KillReport
from smc_trading_agent.domain.types import LimitsView, ModelsHealth
from smc_trading_agent.monitoring.health import AgentStatus
from smc_trading_agent.monitoring.latency import LatencyBook
from smc_trading_agent.monitoring.views import ViewStore


class AgentHandle(Protocol):
    """One agent. Everything here may be called from any thread."""

    @property
    def views(self) -> ViewStore: ...
    @property
    def latency(self) -> LatencyBook: ...
    @property
    def instrument(self) -> Instrument: ...
    @property
    def label(self) -> str:
        """What kind of market this is: ``SYNTHETIC``, ``REPLAY`` or ``LIVE``."""

    @property
    def mode(self) -> str:
        """What kind of money this is: ``paper``."""

    @property
    def target_ms(self) -> float:
        """Latency target of one decision, market event to order."""

    @property
    def cache_hit_rate(self) -> float:
        """Share of forecasts answered from the cache since the start, 0.0 where none is cached."""

    @property
    def models(self) -> ModelsHealth | None:
        """The models that are served and how they do, None where base rates alone forecast."""

    @property
    def limits(self) -> LimitsView:
        """The limits in force, their hash, and how the checks are run."""

    @property
    def api_key_hash(self) -> str | None:
        """SHA-256, in hex, of the key that commands need; None when no key is configured."""

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def status(self) -> AgentStatus: ...
    def breaker_view(self) -> BreakerView:
        """The circuit breaker, scope by scope."""

    def order(self, order: BreakerOrder, timeout_s: float) -> BreakerAnswer:
        """Trips or re-arms the breaker.

        Raises `BreakerRefusal` where it can't be as asked, `TimeoutError` when no bar came within ``timeout_s``: it
        takes effect at the next one. `AgentError` when the loop isn't running.
        """

    def kill(self, scope: str, actor: str, reason: str) -> KillReport:
        """Forbids everything new and cancels our orders at the venue, at once; latched. Safe to call again."""

    def trigger_cycle(self, actor: str, timeout_s: float) -> dict[str, str | int | float | bool | None]:
        """Runs one decision cycle now and says what it did.

        Raises `TimeoutError` when it didn't run within ``timeout_s``, `AgentError` when it can't run.
        """
