"""Axes and marks of a chart as SVG text; the classes take their colours from the page."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

import msgspec

from smc_trading_agent.research.training.wording import number

NS_PER_SECOND = 1_000_000_000
DAY_NS = 86_400 * NS_PER_SECOND
LARGEST = 1e15
"""What no figure of a training run reaches; values beyond are drawn at the edge."""
MONTHS = (1, 2, 3, 6, 12, 24, 60, 120)


class Axis(msgspec.Struct, frozen=True):
    """Maps ``low`` to ``high`` onto pixels ``start`` to ``end``; ``ticks`` are values with their texts."""

    low: float
    high: float
    start: float
    end: float
    label: str
    ticks: tuple[tuple[float, str], ...]

    def at(self, value: float) -> float:
        """The pixel of a value, held inside the axis."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return round(self.start + share * (self.end - self.start), 1)


def numeric_axis(
    values: Sequence[float], start: float, end: float, label: str, wanted: int = 5, percent: bool = False
) -> Axis:
    """An axis over all ``values`` that can be drawn, widened to round ends, with ``wanted`` ticks or so."""
    finite = [value for value in values if abs(value) <= LARGEST] or [0.0]
    low, high = min(finite), max(finite)
    if high - low <= 1e-9 * max(1.0, abs(low), abs(high)):
        low, high = low - max(0.5, abs(low)) * 0.1, high + max(0.5, abs(high)) * 0.1
    rough = (high - low) / wanted
    scale = 10.0 ** math.floor(math.log10(rough))
    step = next(scale * times for times in (1, 2, 5, 10) if scale * times >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    times, unit = (100.0, " %") if percent else (1.0, "")
    decimals = max(0, -math.floor(math.log10(times * step) + 1e-9))
    ticks = tuple((index * step, number(times * index * step, decimals, unit=unit)) for index in range(first, last + 1))
    return Axis(first * step, last * step, start, end, label, ticks)


def time_axis(times: Sequence[int], start: float, end: float, label: str, wanted: int = 6) -> Axis:
    """An axis over times in ns; ticks at starts of months (UTC) where there are enough of them, else at even steps."""
    low, high = (min(times), max(times)) if times else (0, 0)
    high = max(high, low + DAY_NS)
    ticks = _month_ticks(low, high, wanted)
    if len(ticks) < 3:
        at = [low + (high - low) * index // wanted for index in range(wanted + 1)]
        pattern = "%Y-%m-%d" if high - low >= wanted * DAY_NS else "%m-%d %H:%M"
        ticks = [(float(time), f"{_utc(time):{pattern}}") for time in at[::2]]
    return Axis(float(low), float(high), start, end, label, tuple(ticks))


def frame(x: Axis, y: Axis, grid: bool = True) -> str:
    """Axis lines, ticks with their texts, labels, and faint lines across at the ticks of ``y``."""
    left, right, bottom, top = x.start, x.end, y.start, y.end
    parts = [line(left, y.at(value), right, y.at(value), "grid") for value, _ in y.ticks if grid]
    parts += [line(left, bottom, right, bottom, "axis")]
    parts += [line(x.at(value), bottom, x.at(value), bottom + 4, "axis") for value, _ in x.ticks]
    parts += [text(x.at(value), bottom + 17, label, "tick", "middle") for value, label in x.ticks]
    parts += [text(left - 7, y.at(value) + 4, label, "tick", "end") for value, label in y.ticks]
    parts.append(text((left + right) / 2, bottom + 36, x.label, "label", "middle"))
    parts.append(text(left, top - 10, y.label, "label", "start"))
    return "".join(parts)


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A straight line of class ``kind``."""
    return f'<line class="{kind}" x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}"/>'


def dot(x: float, y: float, radius: float, kind: str, tip: str) -> str:
    """A filled circle that tells ``tip`` to a pointer."""
    return f'<circle class="{kind}" cx="{x:g}" cy="{y:g}" r="{radius:g}"><title>{escape(tip)}</title></circle>'


def box(x: float, y: float, width: float, height: float, kind: str, tip: str) -> str:
    """A filled rectangle that tells ``tip`` to a pointer."""
    shape = f'x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"'
    return f'<rect class="{kind}" {shape}><title>{escape(tip)}</title></rect>'


def text(x: float, y: float, words: str, kind: str, anchor: str) -> str:
    """Words at a point."""
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}">{escape(words)}</text>'


def staircase(points: Sequence[tuple[float, float]], kind: str) -> str:
    """A curve that stays level until its next point; pixels."""
    if not points:
        return ""
    path = f"M{points[0][0]:g} {points[0][1]:g}" + "".join(f"H{x:g}V{y:g}" for x, y in points[1:])
    return f'<path class="{kind}" d="{path}"/>'


def picture(width: int, height: int, kind: str, description: str, parts: Sequence[str]) -> str:
    """The whole picture, with its alternative in words."""
    head = f'<svg class="{kind}" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(description)}">'
    return head + "".join(parts) + "</svg>"


def _month_ticks(low: int, high: int, wanted: int) -> list[tuple[float, str]]:
    """Starts of months between two times, at the smallest step in `MONTHS` that gives no more than ``wanted``."""
    first, last = (moment.year * 12 + moment.month - 1 for moment in (_utc(low), _utc(high)))
    step = next((step for step in MONTHS if (last - first) // step <= wanted), MONTHS[-1])
    starts = [
        datetime(month // 12, month % 12 + 1, 1, tzinfo=UTC)
        for month in range(first + 1, last + 1)
        if month % step == 0
    ]
    return [(start.timestamp() * NS_PER_SECOND, f"{start:%Y-%m}") for start in starts]


def _utc(time_ns: int) -> datetime:
    return datetime.fromtimestamp(time_ns // NS_PER_SECOND, tz=UTC)
