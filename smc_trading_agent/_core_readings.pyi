"""Typed face of the Rust core, continued: what `smc_trading_agent._core` exports beside its detectors.

There is no module of this name; it only holds stubs.
"""

EVENT_KINDS: tuple[str, ...]
"""pivot, higher_high, lower_high, higher_low, lower_low, bos, choch, failed_break, mss, mss_strict, cisd, displacement,
dealing_range, reference_open, volume_profile, session_range, power_of_three_accumulation, _manipulation, _distribution.
The rest have a life (the end in brackets, or _expired). With _touched: order_block, breaker, mitigation_block,
reclaimed_block, rejection_block, _mitigated (_invalidated); propulsion_block, optimal_entry (_invalidated);
fair_value_gap, _half_filled, _filled (_inverted); inverse_fair_value_gap, _half_filled (_invalidated); opening_gap,
liquidity_void, _half_filled (_filled); volume_imbalance (_filled); balanced_price_range (_traversed). Levels:
equal_levels, _grown, liquidity_pool, period_level, session_level (_swept, _run, after which _reclaimed); inducement
(_taken); point_of_control (_touched). judas_swing (_confirmed, _failed)."""

class VolumeProfile:
    """Where a period traded, prices in ticks and volume in lots, as of the detector's last bar.

    The point of control is the price at which most was traded; the value area grows from it to the configured part of
    the volume (0.7)."""

    @property
    def scope(self) -> str: ...  # "day", "week" or "month"
    @property
    def formed_at(self) -> int: ...  # open time of the period's first bar with volume
    @property
    def low(self) -> int: ...
    @property
    def high(self) -> int: ...
    @property
    def point_of_control(self) -> int: ...
    @property
    def value_low(self) -> int: ...
    @property
    def value_high(self) -> int: ...
    @property
    def volume(self) -> int: ...
