"""The limits of the risk gateway, each with the direction in which it allows more.

A limit that names a looser direction may change between two starts of one account: the change is journalled and
takes effect at a place in the market. The rest of the section belongs to the session, like any other setting.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from smc_trading_agent.domain.breaker_settings import BreakerSettings
from smc_trading_agent.domain.section import Section

Looser = Literal["higher", "lower", "superset"]
DECIMAL = r"^[0-9]+(\.[0-9]+)?$"
ANY_INSTRUMENT = "*"


def limit(default: Any, looser: Looser = "higher", **more: Any) -> Any:
    """A setting that is a limit; null, where it is allowed, is looser than any value."""
    return Field(default, json_schema_extra={"looser": looser}, **more)


class RiskSettings(Section):
    """Limits of the risk gateway. Shares are of equity; 0 means none, never unlimited."""

    allowed_instruments: tuple[str, ...] = limit(
        (ANY_INSTRUMENT,), "superset", description="venue:symbol; `*` is any, an empty list none"
    )
    risk_per_trade: float = limit(0.005, ge=0, le=0.1)
    kelly_fraction: float | None = limit(
        0.5, ge=0, le=1, description="of the Kelly bet at the calibrated P(win); null: not looked at"
    )
    volatility_target: float = limit(
        0.1, ge=0, le=10, description="one day's standard deviation of the position, times equity"
    )
    min_history_bars: int = limit(30, "lower", ge=2, description="closed decision bars before anything is sent")
    max_jump_sigmas: float = limit(
        25.0, ge=0, description="the last decision bar, in robust standard deviations of those before it"
    )
    max_order_quantity: str = limit("1000000", pattern=DECIMAL, description="base units")
    max_order_notional: float = limit(1.0, ge=0, description="times equity")
    max_volume_share: float | None = limit(
        None, ge=0, le=1, description="of the last day's volume; null: not looked at, as where a tape has no volume"
    )
    max_position_quantity: str = limit("1000000", pattern=DECIMAL, description="base units, on either side")
    max_position_notional: float = limit(1.0, ge=0, description="times equity, on the worse side")
    max_leverage: float = limit(2.0, ge=0, description="gross exposure, both sides added, times equity")
    initial_margin: float = limit(0.1, "lower", gt=0, le=1, description="share of gross exposure the venue asks for")
    maintenance_margin: float = limit(
        0.005, "lower", ge=0, le=1, description="share of gross exposure below which the venue liquidates"
    )
    min_liquidation_distance: float = limit(0.1, "lower", ge=0, le=1, description="share of the price")
    max_value_at_risk: float | None = limit(
        0.02, ge=0, description="99 %, over scenario_bars, of all that could be held; null: not looked at"
    )
    max_shortfall: float | None = limit(0.03, ge=0, description="expected shortfall at 97.5 %, likewise")
    max_stress_loss: float | None = limit(1.05, ge=0, description="in the worst named stress; null: not looked at")
    max_asset_share: float = limit(1.0, ge=0, le=1, description="of one asset in gross exposure; one asset alone is 1")
    max_herfindahl: float = limit(1.0, ge=0, le=1, description="sum of the squares of all assets' shares")
    max_cluster_exposure: float | None = limit(
        2.0, ge=0, description="times equity, of assets that go together; null: not looked at"
    )
    cluster_correlation: float = limit(0.7, ge=0, le=1, description="from here on two assets go together")
    max_risk_age_bars: int = limit(2, ge=0, description="decision bars since the close that risk figures rest on")
    max_open_orders: int = limit(6, ge=0)
    max_open_entries: int = limit(1, ge=0)
    max_positions: int = limit(1, ge=0)
    price_collar: float = limit(0.02, ge=0, lt=1)
    price_drift: float = limit(0.05, ge=0, lt=1, description="between our own entries within the time below")
    price_drift_seconds: float = limit(3_600.0, "lower", ge=0)
    max_data_age_seconds: float = limit(120.0, ge=0)
    signal_ttl_seconds: float = limit(60.0, ge=0)
    max_messages: int = limit(100, ge=0, description="orders, of which an entry with its bracket is three")
    message_window_seconds: float = limit(10.0, "lower", gt=0)
    max_orders_per_fill: float = limit(100.0, ge=0, description="over the UTC day, a day without fills counting one")
    max_executions: int = limit(60, ge=0, description="entries; reaching it halts until a person re-arms")
    execution_window_seconds: float = limit(3_600.0, "lower", gt=0)
    max_similar_orders: int = limit(5, ge=0)
    similar_window_seconds: float = limit(3_600.0, "lower", gt=0)
    similar_price: float = limit(0.0005, "lower", ge=0, lt=1, description="prices this near are one")
    max_losing_trades: int = limit(10, ge=0)
    losing_window_seconds: float = limit(86_400.0, "lower", gt=0)
    cool_down_after_exit_seconds: float = limit(0.0, "lower", ge=0, description="a wait; 0 is no wait")
    launch_trades: int = limit(20, "lower", ge=0, description="trades of models not served before that are smaller")
    launch_size: float = limit(0.25, ge=0, le=1, description="their share of the normal size")
    max_daily_loss: float = limit(0.03, ge=0, le=1, description="REDUCING for the rest of the UTC day")
    halt_daily_loss: float = limit(0.06, ge=0, le=1, description="HALTED until a person re-arms")
    max_drawdown: float = limit(0.25, ge=0, le=1, description="HALTED until a person re-arms, from a new peak")
    cool_down_seconds: float = Field(3600.0, ge=0, description="from REDUCING to HALF_OPEN at the earliest")
    probe_orders: int = Field(2, ge=1, description="orders that must end well in HALF_OPEN")
    probe_size: float = Field(0.5, gt=0, le=1, description="share of the normal size in HALF_OPEN")
    probe_timeout_seconds: float = Field(604_800.0, gt=0, description="a probe not over by then re-opens the breaker")
    scenarios: int = Field(1_000, ge=100, le=100_000, description="decision bars that risk figures look back on")
    min_scenarios: int = Field(250, ge=1, description="fewer give no figure, and no entry where a figure is limited")
    scenario_bars: int = Field(1, ge=1, le=1_000, description="decision bars that a scenario lasts; they overlap")
    breaker: BreakerSettings = BreakerSettings()
    change_reason: str = Field("", description="why limits were changed; production demands one to loosen any")
    change_actor: str = Field("operator", description="who changed them")


def _looser() -> dict[str, Looser]:
    found: dict[str, Looser] = {}
    for name, field in RiskSettings.model_fields.items():
        extra = field.json_schema_extra
        if isinstance(extra, dict) and extra.get("looser") in ("higher", "lower", "superset"):
            found[name] = extra["looser"]  # type: ignore[assignment]
    return found


LOOSER: dict[str, Looser] = _looser()
"""Every limit, with the direction in which it allows more."""

CHANGE_KEYS = ("change_reason", "change_actor")
"""Said of a change; they limit nothing."""
