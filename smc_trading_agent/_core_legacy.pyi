"""Typed face of the Rust core, continued: what `smc_trading_agent._core` exports for `smc_detector.compat`.

There is no module of this name; it only holds stubs. Columns have shape (bars,), all of one length, else ValueError.
Each function returns the columns that the public function of that name documents, in its order.
"""

import numpy as np
from numpy.typing import NDArray

_F64 = NDArray[np.float64]
_I64 = NDArray[np.int64]
_Prices = tuple[_F64, _F64, _F64, _F64]  # open, high, low, close
_Swings = tuple[_F64, _F64, _F64 | None]  # HighLow, Level, and AnchorIndex where the answer shall be causal

def legacy_fvg(prices: _Prices, join: bool, causal: bool) -> list[_F64]: ...
def legacy_swings(high: _F64, low: _F64, size: int, causal: bool) -> list[_F64]: ...  # size at least 1
def legacy_structure(above: _F64, below: _F64, swings: _Swings) -> list[_F64]: ...  # above, below: what breaks a level
def legacy_order_blocks(prices: _Prices, volume: _F64, swings: _Swings, by_body: bool) -> list[_F64]: ...
def legacy_liquidity(high: _F64, low: _F64, swings: _Swings, range_percent: float) -> list[_F64]: ...
def legacy_previous_high_low(time: _I64, high: _F64, low: _F64, period: str, causal: bool) -> list[_F64]: ...  # ns
def legacy_sessions(time: _I64, high: _F64, low: _F64, window: tuple[int, int], causal: bool) -> list[_F64]: ...

# time in ns, UTC; window in minutes after midnight
def legacy_retracements(high: _F64, low: _F64, swings: _Swings) -> list[_F64]: ...
