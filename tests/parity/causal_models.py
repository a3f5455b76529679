"""Bar-by-bar models of the compatibility functions under ``causal=True``: each reads the past alone, by plain lists."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from tests.parity.legacy_models import NAN, Floats, share

Columns = list[list[float]]
Pivot = tuple[int, float, float]
"""Row of the extreme, side, price."""


def blank(count: int, rows: int) -> Columns:
    return [[NAN] * rows for _ in range(count)]


def pivots_by_row(side: Floats, level: Floats, anchor: Floats) -> dict[int, Pivot]:
    return {t: (int(anchor[t]), side[t], level[t]) for t in range(len(side)) if not math.isnan(side[t])}


def fvg(o: Floats, h: Floats, low: Floats, c: Floats, join: bool) -> Columns:
    side, top, bottom, mitigated, anchor = blank(5, len(o))
    live: dict[int, tuple[float, float, float]] = {}
    for t in range(len(o)):
        touched = [
            row for row, (sign, upper, lower) in live.items() if (low[t] <= upper if sign > 0 else h[t] >= lower)
        ]
        for row in touched:
            del live[row]
        if touched:
            mitigated[t] = max(touched)
        if t < 2:
            continue
        up = h[t - 2] < low[t] and c[t - 1] > o[t - 1]
        down = low[t - 2] > h[t] and c[t - 1] < o[t - 1]
        if not (up or down):
            continue
        sign, upper, lower = (1.0, low[t], h[t - 2]) if up else (-1.0, low[t - 2], h[t])
        if join and side[t - 1] == sign:
            live.pop(t - 1, None)
            upper, lower = max(upper, top[t - 1]), min(lower, bottom[t - 1])
        live[t] = (sign, upper, lower)
        side[t], top[t], bottom[t], anchor[t] = sign, upper, lower, t - 1
    return [side, top, bottom, mitigated, anchor]


def swings(h: Floats, low: Floats, size: int) -> Columns:
    side, level, anchor = blank(3, len(h))
    last: tuple[float, float] | None = None
    for t in range(2 * size - 1, len(h)):
        p, window = t - size, range(t - 2 * size + 1, t + 1)
        if h[p] == max(h[j] for j in window):
            pivot = (1.0, h[p])
        elif low[p] == min(low[j] for j in window):
            pivot = (-1.0, low[p])
        else:
            continue
        if last is None or last[0] != pivot[0] or pivot[0] * pivot[1] > last[0] * last[1]:
            last = pivot
            side[t], level[t], anchor[t] = *pivot, p
    return [side, level, anchor]


def pattern(four: Sequence[Pivot]) -> tuple[float, str] | None:
    sign = four[1][1]
    if [side for _, side, _ in four] != [-sign, sign, -sign, sign]:
        return None
    a, b, c, d = (sign * level for _, _, level in four)
    if a < c < b < d:
        return sign, "bos"
    return (sign, "choch") if c < a < b < d else None


def structure(above: Floats, below: Floats, known: dict[int, Pivot]) -> Columns:
    bos, choch, level, broken, anchor = blank(5, len(above))
    alternating: list[Pivot] = []
    pending: list[tuple[int, float, str, float]] = []
    found: set[int] = set()
    for t in range(len(above)):
        if t in known:
            if alternating and alternating[-1][1] == known[t][1]:
                alternating.pop()
            alternating.append(known[t])
            four = alternating[-4:]
            match = pattern(four) if len(four) == 4 else None
            if match and all(four[1][0] > row for row in found):
                found.add(four[1][0])
                pending.append((four[1][0], *match, four[1][2]))
        for event in sorted(pending, reverse=True):
            row, sign, kind, price = event
            breaks = [j for j in range(row + 2, t + 1) if (above[j] > price if sign > 0 else below[j] < price)]
            if breaks:
                (bos if kind == "bos" else choch)[t] = sign
                level[t], broken[t], anchor[t] = price, breaks[0], row
                pending = [other for other in pending if other[0] > row]
                break
    return [bos, choch, level, broken, anchor]


def order_blocks(
    o: Floats, h: Floats, low: Floats, c: Floats, v: Floats, known: dict[int, Pivot], by_close: bool
) -> Columns:
    side, top, bottom, volume, mitigated, percent, anchor = blank(7, len(h))
    live: dict[int, float] = {}
    last: dict[float, int | None] = {1.0: None, -1.0: None}
    for t in range(len(h)):
        lowest, highest = (min(o[t], c[t]), max(o[t], c[t])) if by_close else (low[t], h[t])
        broken = [row for row, sign in live.items() if (lowest < bottom[row] if sign > 0 else highest > top[row])]
        for row in broken:
            del live[row]
        if broken:
            mitigated[t] = max(broken)
        if t in known:
            last[known[t][1]] = known[t][0]
        for sign in (1.0, -1.0):
            q = last[sign]
            if q is None or not (c[t] > h[q] if sign > 0 else c[t] < low[q]):
                continue
            last[sign] = None
            between = range(q + 1, t)
            if between:
                block = min(between, key=lambda j, s=sign: (low[j] if s > 0 else -h[j], -j))
                late, early = v[t] + v[t - 1], v[t - 2]
                smaller, larger = (np.float32(pick(late, early)) for pick in (min, max))
                side[t], top[t], bottom[t], anchor[t] = sign, h[block], low[block], block
                volume[t] = late + early
                percent[t] = float(smaller / larger * np.float32(100)) if larger else 100.0
                live[t] = sign
    return [side, top, bottom, volume, mitigated, percent, anchor]


def liquidity(h: Floats, low: Floats, known: dict[int, Pivot], percent: float) -> Columns:
    side, level, end, swept, anchor = blank(5, len(h))
    pools: list[dict[str, float]] = []
    for t in range(len(h)):
        reached = [
            pool
            for pool in pools
            if (h[t] if pool["sign"] > 0 else -low[t]) >= pool["sign"] * pool["level"] + pool["tolerance"]
        ]
        printed = [int(pool["printed"]) for pool in reached if pool["printed"] >= 0]
        if printed:
            swept[t] = max(printed)
        pools = [pool for pool in pools if pool not in reached]
        if t not in known:
            continue
        row, sign, price = known[t]
        near = (
            pool for pool in pools if pool["sign"] == sign and abs(price - pool["level"]) <= pool["tolerance"] + 1e-9
        )
        pool = next(near, None)
        if pool is None:
            tolerance = (max(h[: t + 1]) - min(low[: t + 1])) * percent
            pools.append({
                "sign": sign, "level": price, "tolerance": tolerance, "anchor": row, "sum": price, "members": 1,
                "printed": -1,
            })  # fmt: skip
            continue
        pool["sum"] += price
        pool["members"] += 1
        pool["printed"] = t
        side[t], level[t], end[t], anchor[t] = sign, pool["sum"] / pool["members"], row, pool["anchor"]
    return [side, level, end, swept, anchor]


def previous_high_low(times: Sequence[int], h: Floats, low: Floats, label: Callable[[int], int]) -> Columns:
    n = len(h)
    labels = [label(time) for time in times]
    columns: Columns = [[NAN] * n, [NAN] * n, [0.0] * n, [0.0] * n]
    for t in range(n):
        earlier = [name for name in labels[:t] if name != labels[t]]
        if earlier:
            rows = [j for j in range(t) if labels[j] == earlier[-1]]
            high, bottom = max(h[j] for j in rows), min(low[j] for j in rows)
            since = [j for j in range(t + 1) if labels[j] == labels[t]]
            flags = (any(h[j] > high for j in since), any(low[j] < bottom for j in since))
            columns[0][t], columns[1][t], columns[2][t], columns[3][t] = high, bottom, *map(float, flags)
    return columns


def sessions(minutes: Sequence[int], h: Floats, low: Floats, start: int, end: int) -> Columns:
    length = (end - start) % 1440 or 1440
    runs = [(m - start) // 1440 if (m - start) % 1440 < length else None for m in minutes]
    active, high, bottom = [float(run is not None) for run in runs], [NAN] * len(h), [NAN] * len(h)
    for t, run in enumerate(runs):
        if run is not None:
            same = [j for j in range(t + 1) if runs[j] == run]
            high[t], bottom[t] = max(h[j] for j in same), min(low[j] for j in same)
    return [active, high, bottom]


def retracements(h: Floats, low: Floats, known: dict[int, Pivot]) -> Columns:
    direction, current, deepest = [0.0] * len(h), [NAN] * len(h), [NAN] * len(h)
    for t in range(len(h)):
        seen = [known[row] for row in sorted(known) if row <= t]
        if not seen:
            continue
        row, sign, _ = seen[-1]
        direction[t] = sign
        tops, bottoms = ([price for _, side, price in seen if side == s] for s in (1.0, -1.0))
        if tops and bottoms:
            top, bottom = tops[-1], bottoms[-1]
            values = [
                share(low[j] - bottom, top - bottom) if sign > 0 else share(h[j] - top, bottom - top)
                for j in range(row + 1, t + 1)
            ]
            current[t], deepest[t] = values[-1], max(values)
    return [direction, current, deepest]
