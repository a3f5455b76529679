"""The charts of the report, each drawn for a wide and for a narrow screen, with a legend."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from smc_trading_agent.research.training import svg
from smc_trading_agent.research.training.findings import PathFacts, ReliabilityBin
from smc_trading_agent.research.training.wording import count, in_r, nats, percent

WIDE, NARROW = 720, 360
MARGIN, NAMES = 16, 56
"""Room to the right: for half a tick's text, and for the name of a curve."""


class IntervalRow(msgspec.Struct, frozen=True):
    """A value by name, with bounds (None: none known) and the values of its parts, such as those of seeds."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    parts: dict[str, float] = {}


class IntervalChart(msgspec.Struct, frozen=True):
    """Values under each other against a ``reference``; in nats, or in R where ``returns``."""

    rows: tuple[IntervalRow, ...]
    label: str
    reference: float
    reference_name: str
    returns: bool


class ReliabilityChart(msgspec.Struct, frozen=True):
    """Mean outcome over mean forecast by bin, with the number of forecasts below."""

    bins: tuple[ReliabilityBin, ...]


class EquityChart(msgspec.Struct, frozen=True):
    """Paths through all groups; ``start`` and ``end`` (ns) hold all of their times. Median and worst stand out."""

    paths: tuple[PathFacts, ...]
    start: int
    end: int


Chart = IntervalChart | ReliabilityChart | EquityChart


def legend(chart: Chart) -> list[tuple[str, str]]:
    """What the marks of a chart mean: class of the mark, and words."""
    if isinstance(chart, EquityChart):
        middle, worst = median_and_worst(chart.paths)
        entries = [("line median", f"median path, number {middle.path}")] if middle else []
        entries += [("line worst", f"worst path, number {worst.path}")] if worst and worst is not middle else []
        return entries + ([("line other", "every other path")] if len(chart.paths) > 2 else [])
    if isinstance(chart, ReliabilityChart):
        entries = [("line ideal", "forecasts that come true as often as they say"), ("dot point", "forecasts of a bin")]
        return [*entries, ("line bar", "95 % interval of the outcome"), ("box mass", "number of forecasts")]
    entries = [("dot point", "estimate")]
    entries += [("line bar", "95 % interval")] if any(row.low is not None for row in chart.rows) else []
    entries += [("dot part", "each seed")] if any(row.parts for row in chart.rows) else []
    return [*entries, ("line ideal", chart.reference_name)]


def drawn(chart: Chart, width: int, kind: str, description: str) -> str:
    """The chart as an SVG element of class ``kind``, ``width`` units wide."""
    if isinstance(chart, EquityChart):
        height, parts = _equity(chart, width)
    elif isinstance(chart, ReliabilityChart):
        height, parts = _reliability(chart, width)
    else:
        height, parts = _intervals(chart, width)
    return svg.picture(width, height, kind, description, parts)


def empty(chart: Chart) -> bool:
    """Whether there is nothing that could be drawn."""
    if isinstance(chart, EquityChart):
        return not any(_finite(path) for path in chart.paths)
    if isinstance(chart, ReliabilityChart):
        return not _drawable(chart)
    return not any(math.isfinite(row.value) for row in chart.rows)


def median_and_worst(paths: Sequence[PathFacts]) -> tuple[PathFacts | None, PathFacts | None]:
    """The paths with the (lower) median and the smallest total return."""
    ordered = sorted((path for path in paths if math.isfinite(path.total_return)), key=lambda path: path.total_return)
    return (ordered[(len(ordered) - 1) // 2], ordered[0]) if ordered else (None, None)


def _equity(chart: EquityChart, width: int) -> tuple[int, list[str]]:
    height, left = 340 if width == WIDE else 280, 56
    curves = {path.path: _finite(path) for path in chart.paths}
    totals = [value for curve in curves.values() for _, value in curve]
    x = svg.time_axis(
        [chart.start, chart.end], left, width - NAMES, "end of the trade (UTC)", 6 if width == WIDE else 3
    )
    y = svg.numeric_axis([0.0, *totals], height - 46, 30, "sum of returns after costs, R")
    parts = [svg.frame(x, y), svg.line(x.start, y.at(0.0), x.end, y.at(0.0), "zero")]
    middle, worst = median_and_worst(chart.paths)
    kinds = [("median" if path is middle else "worst" if path is worst else "other", path) for path in chart.paths]
    ends: dict[str, float] = {}
    for kind, path in sorted(kinds, key=lambda item: ("other", "worst", "median").index(item[0])):
        pixels = [(x.at(time), y.at(value)) for time, value in [(chart.start, 0.0), *curves[path.path]]]
        parts.append(svg.staircase(thinned([*pixels, (x.end, pixels[-1][1])]), f"curve {kind}"))
        ends[kind] = min(pixels[-1][1], y.start - 6)
    if "worst" in ends and "median" in ends:
        ends["median"] = min(ends["median"], ends["worst"] - 14)
    parts += [svg.text(x.end + 6, ends[kind] + 4, kind, "label", "start") for kind in ends if kind != "other"]
    return height, parts


def _reliability(chart: ReliabilityChart, width: int) -> tuple[int, list[str]]:
    height, left, split = (430, 56, 310) if width == WIDE else (370, 48, 250)
    bins = _drawable(chart)
    ends = [value for found in bins for value in (found.forecast, found.outcome, found.low, found.high)]
    shown = [min(max(value, 0.0), 1.0) for value in ends if math.isfinite(value)] or [0.0, 1.0]
    right = width - MARGIN - 4
    across = svg.numeric_axis(shown, left, right, "forecast P(win)", percent=True)
    up = svg.numeric_axis(shown, split, 30, "share of setups that won", percent=True)
    silent = tuple((value, "") for value, _ in across.ticks)
    mass = [float(found.count) for found in bins]
    counts = svg.numeric_axis([0.0, *mass], height - 46, split + 32, "number of forecasts", 2)
    parts = [svg.frame(msgspec.structs.replace(across, label="", ticks=silent), up), svg.frame(across, counts)]
    parts.append(
        svg.line(across.at(across.low), up.at(across.low), across.at(across.high), up.at(across.high), "ideal")
    )
    for found in bins:
        at = across.at(found.forecast)
        tip = f"forecast {percent(found.forecast)}, won {percent(found.outcome)}, {count(found.count)} forecasts"
        wide = width / 60
        tall = counts.start - counts.at(found.count)
        parts.append(svg.box(at - wide / 2, counts.at(found.count), wide, tall, "mass", tip))
        if math.isfinite(found.low) and math.isfinite(found.high):
            parts.append(svg.line(at, up.at(found.low), at, up.at(found.high), "bar"))
        parts.append(svg.dot(at, up.at(found.outcome), 4.5, "point", tip))
    return height, parts


def _intervals(chart: IntervalChart, width: int) -> tuple[int, list[str]]:
    left, step = (190, 34) if width == WIDE else (100, 34)
    height = 30 + step * max(1, len(chart.rows)) + 46
    words = in_r if chart.returns else nats
    values = [chart.reference]
    for row in chart.rows:
        values += [row.value, *row.parts.values(), *(bound for bound in (row.low, row.high) if bound is not None)]
    x = svg.numeric_axis(values, left, width - MARGIN - 14, chart.label, 6 if width == WIDE else 3)
    y = svg.Axis(0.0, 1.0, height - 46.0, 14.0, "", ())
    parts = [svg.frame(x, y)]
    if math.isfinite(chart.reference):
        parts.append(svg.line(x.at(chart.reference), y.start, x.at(chart.reference), y.end, "ideal"))
    for index, row in enumerate(chart.rows):
        at = 30 + step * index + step / 2 - 6
        parts += [svg.text(left - 12, at + 4, row.name, "label", "end"), svg.line(left, at, x.end, at, "grid")]
        if row.low is not None and row.high is not None and math.isfinite(row.low) and math.isfinite(row.high):
            parts.append(svg.line(x.at(row.low), at, x.at(row.high), at, "bar"))
        parts += [
            svg.dot(x.at(value), at, 3, "part", f"{row.name}, {part}: {words(value)}")
            for part, value in row.parts.items()
            if math.isfinite(value)
        ]
        if math.isfinite(row.value):
            parts.append(svg.dot(x.at(row.value), at, 5, "point", f"{row.name}: {words(row.value)}"))
    return height, parts


def thinned(pixels: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most four points a pixel column (first, lowest, highest, last): the same picture from fewer points."""
    columns: dict[int, list[int]] = {}
    for index, (x, _) in enumerate(pixels):
        columns.setdefault(int(x), []).append(index)
    kept: list[int] = []
    for inside in columns.values():
        heights = sorted(inside, key=lambda index: pixels[index][1])
        kept += sorted({inside[0], heights[0], heights[-1], inside[-1]})
    return [pixels[index] for index in kept]


def _finite(path: PathFacts) -> list[tuple[int, float]]:
    return [(time, value) for time, value in zip(path.times, path.equity, strict=False) if math.isfinite(value)]


def _drawable(chart: ReliabilityChart) -> list[ReliabilityBin]:
    return [found for found in chart.bins if math.isfinite(found.forecast) and math.isfinite(found.outcome)]
