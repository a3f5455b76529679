"""The eight functions. Frames hold one row a bar, oldest first; answers have as many rows.

Without ``causal`` every number equals the library's, whose quirks are listed in docs/concepts/compatibility.md. With
``causal`` each value stands on the bar whose close made it knowable and never changes when bars are added; prices are
float64. AnchorIndex then names the row that the thing itself happened on, the one the library would print it at.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence

import numpy as np

from smc_trading_agent import _core
from smc_trading_agent.smc_detector.compat.hindsight import notice
from smc_trading_agent.smc_detector.compat.times import session_window, utc_times
from smc_trading_agent.smc_detector.frames import Column, Floats, FrameT, answer, floats, name_of
from smc_trading_agent.smc_detector.times import bar_times

ANCHOR = "AnchorIndex"


def _answer(like: FrameT, spec: str, columns: Sequence[Floats]) -> FrameT:
    """A frame from a spec such as "FVG:f8 Top:f8"."""
    named: dict[str, Column] = {}
    for part, values in zip(spec.split(), columns, strict=True):
        name, _, kind = part.partition(":")
        named[name] = values.astype(np.dtype(kind), copy=False)
    return answer(like, named)


def _swings(swings: object, causal: bool) -> tuple[Floats, Floats, Floats | None]:
    """HighLow, Level, AnchorIndex; ValueError where the swings' kind isn't the one that is asked for."""
    anchored = name_of(swings, ANCHOR) is not None
    if causal and not anchored:
        raise ValueError("causal=True needs causal swings: smc.swing_highs_lows(ohlc, swing_length, causal=True)")
    if anchored and not causal:
        raise ValueError("these swings are causal; add causal=True here, or make them without it")
    if not causal:
        notice.give(3)
    side, level = floats(swings, "HighLow", "Level")
    return side, level, floats(swings, ANCHOR)[0] if causal else None


class SmartMoneyConcepts:
    """The library's functions under its own names, as static methods; usually imported as `smc`.

    Each takes and gives pandas or Polars frames; column names are read whatever their case. LookupError names a missing
    column, ValueError what is wrong with an argument. The first call that looks ahead warns with `HindsightWarning`.
    """

    @staticmethod
    def fvg(ohlc: FrameT, join_consecutive: bool = False, *, causal: bool = False) -> FrameT:
        """Fair value gaps: FVG (1 bullish, -1 bearish), Top, Bottom, MitigatedIndex.

        Printed at the middle bar of the three, one bar ahead; MitigatedIndex is the later bar that touches it, 0 for
        none. Causal: printed at the third bar. MitigatedIndex stands on the touching bar and names the row of the gap
        that it touched for the first time (the youngest of several). A joined gap replaces the one on the row before.
        """
        if not causal:
            notice.give(2)
        open_, high, low, close = floats(ohlc, "open", "high", "low", "close")
        columns = _core.legacy_fvg((open_, high, low, close), bool(join_consecutive), causal)
        spec = "FVG:f8 Top:f8 Bottom:f8 MitigatedIndex:f8"
        return _answer(ohlc, f"{spec} {ANCHOR}:f8" if causal else spec, columns)

    @staticmethod
    def swing_highs_lows(ohlc: FrameT, swing_length: int = 50, *, causal: bool = False) -> FrameT:
        """Swing highs and lows: HighLow (1 high, -1 low), Level.

        Printed at the swing's own bar, ``swing_length`` bars ahead; erased when a more extreme one of its side follows.
        The first and the last row are made up. Causal: printed ``swing_length`` bars after the swing, never erased; a
        more extreme one of the same side is printed as well and takes its place from there on.
        """
        size = operator.index(swing_length)
        if size < 1:
            raise ValueError(f"swing_length is {size}; use 1 or more bars")
        if not causal:
            notice.give(2)
        high, low = floats(ohlc, "high", "low")
        spec = f"HighLow:f8 Level:f8 {ANCHOR}:f8" if causal else "HighLow:f8 Level:f8"
        return _answer(ohlc, spec, _core.legacy_swings(high, low, size, causal))

    @staticmethod
    def bos_choch(ohlc: FrameT, swing_highs_lows: object, close_break: bool = True, *, causal: bool = False) -> FrameT:
        """Breaks of structure and changes of character: BOS, CHOCH (1 or -1), Level, BrokenIndex.

        Printed at the swing that will be broken, two swings and a break ahead. Causal: printed where four known swings
        make the pattern and its level has been broken, whichever is later; BrokenIndex is the breaking bar, here or
        before.
        """
        swings = _swings(swing_highs_lows, causal)
        high, low, close = floats(ohlc, "high", "low", "close")
        above, below = (close, close) if close_break else (high, low)
        columns = _core.legacy_structure(above, below, swings)
        spec = "BOS:f8 CHOCH:f8 Level:f8 BrokenIndex:f8 AnchorIndex:f8"
        return _answer(ohlc, spec if causal else "BOS:f8 CHOCH:f8 Level:f4 BrokenIndex:f8", columns)

    @staticmethod
    def ob(ohlc: FrameT, swing_highs_lows: object, close_mitigation: bool = False, *, causal: bool = False) -> FrameT:
        """Order blocks: OB (1 or -1), Top, Bottom, OBVolume, MitigatedIndex, Percentage. Needs the column volume.

        Printed at the block's bar, ahead of the break that makes it one; erased once broken and traded back through.
        Causal: printed at the break of a known swing, never erased; MitigatedIndex stands on the bar that breaks blocks
        and names the row of the youngest of them.
        """
        swings = _swings(swing_highs_lows, causal)
        open_, high, low, close, volume = floats(ohlc, "open", "high", "low", "close", "volume")
        columns = _core.legacy_order_blocks((open_, high, low, close), volume, swings, bool(close_mitigation))
        kind = "f8" if causal else "f4"
        spec = f"OB:f8 Top:{kind} Bottom:{kind} OBVolume:{kind} MitigatedIndex:f8 Percentage:{kind}"
        return _answer(ohlc, f"{spec} {ANCHOR}:f8" if causal else spec, columns)

    @staticmethod
    def liquidity(
        ohlc: FrameT, swing_highs_lows: object, range_percent: float = 0.01, *, causal: bool = False
    ) -> FrameT:
        """Pools of nearly equal swings: Liquidity (1 above price, -1 below), Level, End, Swept.

        Printed at the first member; the tolerance is ``range_percent`` of the range of the whole frame, the future
        included. Causal: the tolerance is of the range so far; printed at each bar that made a joining swing known,
        with the mean so far and End the joining swing's bar; Swept stands on the sweeping bar and names the pool's last
        row.
        """
        swings = _swings(swing_highs_lows, causal)
        high, low = floats(ohlc, "high", "low")
        columns = _core.legacy_liquidity(high, low, swings, float(range_percent))
        kind = "f8" if causal else "f4"
        spec = f"Liquidity:{kind} Level:{kind} End:{kind} Swept:{kind}"
        return _answer(ohlc, f"{spec} {ANCHOR}:f8" if causal else spec, columns)

    @staticmethod
    def previous_high_low(ohlc: FrameT, time_frame: str = "1D", *, causal: bool = False) -> FrameT:
        """Extremes of the period before: PreviousHigh, PreviousLow, BrokenHigh, BrokenLow (1 once traded beyond).

        ``time_frame`` is a number and s, min, h or D, or W, W-FRI, ME, or a name of the library's own such as 15m, 1H,
        1M; periods go by the wall clock of the times. No hindsight, but late by one period on the first bar of each,
        and on all bars for weeks and months. Causal: always the last completed period.
        """
        high, low = floats(ohlc, "high", "low")
        columns = _core.legacy_previous_high_low(bar_times(ohlc).wall, high, low, time_frame, causal)
        kind = "f8" if causal else "f4"
        return _answer(ohlc, f"PreviousHigh:{kind} PreviousLow:{kind} BrokenHigh:i4 BrokenLow:i4", columns)

    @staticmethod
    def sessions(
        ohlc: FrameT,
        session: str,
        start_time: str = "",
        end_time: str = "",
        time_zone: str = "UTC",
        *,
        causal: bool = False,
    ) -> FrameT:
        """A session by the clock of UTC: Active (1 or 0), High and Low so far, 0 outside.

        ``session`` is Sydney, Tokyo, London, New York, Asian kill zone, London open kill zone, New York kill zone,
        London close kill zone, or Custom with ``start_time`` and ``end_time`` as HH:MM. ``time_zone`` names the clock
        of times that carry no zone. No hindsight, but both ends are inclusive and UTC+3 means three hours the wrong
        way. Causal: half-open, the right way round, each occurrence by itself, NaN outside.
        """
        window = session_window(session, start_time, end_time)
        high, low = floats(ohlc, "high", "low")
        time = utc_times(bar_times(ohlc), time_zone, inverted=not causal)
        columns = _core.legacy_sessions(time, high, low, window, causal)
        kind = "f8" if causal else "f4"
        return _answer(ohlc, f"Active:i4 High:{kind} Low:{kind}", columns)

    @staticmethod
    def retracements(ohlc: FrameT, swing_highs_lows: object, *, causal: bool = False) -> FrameT:
        """How far price has come back: Direction (side of the last swing), CurrentRetracement%, DeepestRetracement%.

        Direction turns at the swing's own bar, before it is known, and everything stands one row late. Causal:
        direction turns where the swing became known, nothing is shifted, and values are NaN until there is a high and a
        low.
        """
        swings = _swings(swing_highs_lows, causal)
        high, low = floats(ohlc, "high", "low")
        columns = _core.legacy_retracements(high, low, swings)
        return _answer(ohlc, "Direction:i4 CurrentRetracement%:f8 DeepestRetracement%:f8", columns)
