"""Limits as the exact integers that are compared: lots, quote units, parts per million, nanoseconds."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import msgspec

from smc_trading_agent._core import Instrument
from smc_trading_agent.domain.costs import PPM
from smc_trading_agent.domain.risk_settings import ANY_INSTRUMENT, LOOSER, Looser, RiskSettings

NS = 1_000_000_000
UNLIMITED_IN_TEXT = "none"


class Limits(msgspec.Struct, frozen=True):
    """See `smc_trading_agent.domain.risk_settings.RiskSettings` for what each limits.

    ``longest_ns`` is how long an entry that was sent matters to any of them.
    """

    any_instrument: bool
    instruments: frozenset[str]
    risk_ppm: int
    kelly_ppm: int | None
    volatility_ppm: int
    history_bars: int
    jump_millis: int
    order_lots: int
    order_ppm: int
    volume_ppm: int | None
    position_lots: int
    position_ppm: int
    leverage_ppm: int
    margin_ppm: int
    maintenance_ppm: int
    liquidation_ppm: int
    value_at_risk_ppm: int | None
    shortfall_ppm: int | None
    stress_ppm: int | None
    asset_share_ppm: int
    herfindahl_ppm: int
    cluster_ppm: int | None
    cluster_correlation: float
    risk_age_bars: int
    open_orders: int
    open_entries: int
    positions: int
    collar_ppm: int
    drift_ppm: int
    drift_ns: int
    data_age_ns: int
    signal_ttl_ns: int
    messages: int
    message_ns: int
    orders_per_fill_ppm: int
    executions: int
    execution_ns: int
    similar: int
    similar_ns: int
    similar_ppm: int
    losing_trades: int
    losing_ns: int
    exit_wait_ns: int
    launch_trades: int
    launch_ppm: int
    daily_loss_ppm: int
    halt_loss_ppm: int
    drawdown_ppm: int
    longest_ns: int


def ppm(share: float) -> int:
    """A share in parts per million, to the nearest."""
    return PPM if share == 1.0 else round(share * PPM)


def limits_of(settings: RiskSettings, instrument: Instrument) -> Limits:
    """The limits that settings mean for an instrument. Raises `ValueError` for a quantity that is no number."""
    s = settings
    windows = (s.price_drift_seconds, s.message_window_seconds, s.execution_window_seconds, s.similar_window_seconds)
    return Limits(
        any_instrument=ANY_INSTRUMENT in s.allowed_instruments,
        instruments=frozenset(s.allowed_instruments),
        risk_ppm=ppm(s.risk_per_trade),
        kelly_ppm=_ppm_or_none(s.kelly_fraction),
        volatility_ppm=ppm(s.volatility_target),
        history_bars=s.min_history_bars,
        jump_millis=round(s.max_jump_sigmas * 1_000),
        order_lots=lots_of(s.max_order_quantity, instrument),
        order_ppm=ppm(s.max_order_notional),
        volume_ppm=_ppm_or_none(s.max_volume_share),
        position_lots=lots_of(s.max_position_quantity, instrument),
        position_ppm=ppm(s.max_position_notional),
        leverage_ppm=ppm(s.max_leverage),
        margin_ppm=ppm(s.initial_margin),
        maintenance_ppm=ppm(s.maintenance_margin),
        liquidation_ppm=ppm(s.min_liquidation_distance),
        value_at_risk_ppm=_ppm_or_none(s.max_value_at_risk),
        shortfall_ppm=_ppm_or_none(s.max_shortfall),
        stress_ppm=_ppm_or_none(s.max_stress_loss),
        asset_share_ppm=ppm(s.max_asset_share),
        herfindahl_ppm=ppm(s.max_herfindahl),
        cluster_ppm=_ppm_or_none(s.max_cluster_exposure),
        cluster_correlation=s.cluster_correlation,
        risk_age_bars=s.max_risk_age_bars,
        open_orders=s.max_open_orders,
        open_entries=s.max_open_entries,
        positions=s.max_positions,
        collar_ppm=ppm(s.price_collar),
        drift_ppm=ppm(s.price_drift),
        drift_ns=_ns(s.price_drift_seconds),
        data_age_ns=_ns(s.max_data_age_seconds),
        signal_ttl_ns=_ns(s.signal_ttl_seconds),
        messages=s.max_messages,
        message_ns=_ns(s.message_window_seconds),
        orders_per_fill_ppm=ppm(s.max_orders_per_fill),
        executions=s.max_executions,
        execution_ns=_ns(s.execution_window_seconds),
        similar=s.max_similar_orders,
        similar_ns=_ns(s.similar_window_seconds),
        similar_ppm=ppm(s.similar_price),
        losing_trades=s.max_losing_trades,
        losing_ns=_ns(s.losing_window_seconds),
        exit_wait_ns=_ns(s.cool_down_after_exit_seconds),
        launch_trades=s.launch_trades,
        launch_ppm=ppm(s.launch_size),
        daily_loss_ppm=ppm(s.max_daily_loss),
        halt_loss_ppm=ppm(s.halt_daily_loss),
        drawdown_ppm=ppm(s.max_drawdown),
        longest_ns=_ns(max(windows)),
    )


def lots_of(quantity: str, instrument: Instrument) -> int:
    """Whole lots in a decimal quantity, rounded down, without a float in between."""
    whole, _, part = quantity.partition(".")
    lot_whole, _, lot_part = instrument.lot_size.partition(".")
    digits = max(len(part), len(lot_part))
    return int(whole + part.ljust(digits, "0")) // int(lot_whole + lot_part.ljust(digits, "0"))


def limit_values(settings: RiskSettings) -> dict[str, Any]:
    """Every limit as JSON can hold it."""
    return settings.model_dump(mode="json", include=set(LOOSER))


def limits_hash(values: dict[str, Any]) -> str:
    """Hash over the effective limits, by name."""
    return hashlib.blake2b(json.dumps(values, sort_keys=True).encode(), digest_size=8).hexdigest()


def changed_limits(before: dict[str, Any], after: dict[str, Any]) -> dict[str, str]:
    """``before -> after`` of each limit that differs; a limit that was not there before counts as changed."""
    return {
        name: f"{_text(before.get(name, ''))} -> {_text(value)}"
        for name, value in after.items()
        if name not in before or before[name] != value
    }


def loosened_limits(before: dict[str, Any], after: dict[str, Any]) -> tuple[str, ...]:
    """Names of the limits that allow more than before."""
    return tuple(
        name for name, looser in LOOSER.items() if name in before and _loosened(looser, before[name], after[name])
    )


def _loosened(looser: Looser, before: Any, after: Any) -> bool:
    if looser == "superset":
        return ANY_INSTRUMENT not in before and not set(after) <= set(before)
    if before is None or after is None:
        return before is not None
    old, new = float(before), float(after)
    return new > old if looser == "higher" else new < old


def _ppm_or_none(share: float | None) -> int | None:
    return None if share is None else ppm(share)


def _ns(seconds: float) -> int:
    return round(seconds * NS)


def _text(value: Any) -> str:
    return UNLIMITED_IN_TEXT if value is None else ", ".join(value) if isinstance(value, list) else str(value)
