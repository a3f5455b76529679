"""Typed face of the Rust core, continued: what `smc_trading_agent._core` exports beside its detectors.

There is no module of this name; it only holds stubs.
"""

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
