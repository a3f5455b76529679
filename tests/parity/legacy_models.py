"""Brute-force models of the legacy functions, written from their definitions: slow, short, and obvious.

Columns are lists of floats; an event that is absent is NaN. Each model returns one list a column, in the order of
the public frame. Rounding through float32 is left to the caller, but where a comparison depends on it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

NAN = math.nan
Floats = Sequence[float]


def f32(value: float) -> float:
    """``value`` after a trip through single precision."""
    return float(np.float32(value))


def tenths(value: float) -> float:
    """``value`` to one decimal, ties to even, by way of the tenfold."""
    return float(np.round(value, 1))


def share(part: float, whole: float) -> float:
    """100 minus ``part`` in percent of ``whole`` to one decimal; 0 where the whole is 0."""
    return tenths(100 - part / whole * 100) if whole else 0.0


def first(start: int, stop: int, test: Callable[[int], bool]) -> int | None:
    """The first index in ``start .. stop`` (exclusive) that passes ``test``."""
    return next((index for index in range(start, stop) if test(index)), None)


def fvg(o: Floats, h: Floats, low: Floats, c: Floats, join: bool) -> list[list[float]]:
    n = len(o)
    side, top, bottom, mitigated = ([NAN] * n for _ in range(4))
    for i in range(1, n - 1):
        if h[i - 1] < low[i + 1] and c[i] > o[i]:
            side[i], top[i], bottom[i] = 1.0, low[i + 1], h[i - 1]
        elif low[i - 1] > h[i + 1] and c[i] < o[i]:
            side[i], top[i], bottom[i] = -1.0, low[i - 1], h[i + 1]
    for i in range(n - 1) if join else ():
        if side[i] == side[i + 1]:
            top[i + 1], bottom[i + 1] = max(top[i], top[i + 1]), min(bottom[i], bottom[i + 1])
            side[i] = top[i] = bottom[i] = NAN
    for i in range(n):
        if side[i] == 1.0:
            mitigated[i] = first(i + 2, n, lambda j, level=top[i]: low[j] <= level) or 0
        elif side[i] == -1.0:
            mitigated[i] = first(i + 2, n, lambda j, level=bottom[i]: h[j] >= level) or 0
    return [side, top, bottom, mitigated]


def swings(h: Floats, low: Floats, size: int) -> list[list[float]]:
    n = len(h)
    found: list[tuple[int, float]] = []
    for i in range(2 * size - 1, n - size):
        window = range(i - size + 1, i + size + 1)
        if h[i] == max(h[j] for j in window):
            found.append((i, 1.0))
        elif low[i] == min(low[j] for j in window):
            found.append((i, -1.0))
    while True:
        doomed = set()
        for (i, side), (j, other) in pairwise(found):
            if side == other:
                later_wins = h[j] > h[i] if side > 0 else low[j] < low[i]
                doomed.add(i if later_wins else j)
        if not doomed:
            break
        found = [pivot for pivot in found if pivot[0] not in doomed]
    side, level = [NAN] * n, [NAN] * n
    for i, value in found:
        side[i] = value
    if found:
        side[0], side[n - 1] = -found[0][1], -found[-1][1]
    for i in range(n):
        if side[i] == side[i]:
            level[i] = h[i] if side[i] > 0 else low[i]
    return [side, level]


def structure(h: Floats, low: Floats, c: Floats, side: Floats, level: Floats, by_close: bool) -> list[list[float]]:
    n = len(h)
    bos, choch, shown, broken = ([NAN] * n for _ in range(4))
    pivots = [(i, side[i], level[i]) for i in range(n) if side[i] == side[i]]
    events = []
    for k in range(3, len(pivots)):
        (_, s0, a), (at, s1, b), (_, s2, c2), (_, s3, d) = pivots[k - 3 : k + 1]
        for sign in (1.0, -1.0):
            if (s0, s1, s2, s3) != (-sign, sign, -sign, sign):
                continue
            u, v, w, x = (sign * value for value in (a, b, c2, d))
            kind = "bos" if u < w < v < x else "choch" if x > v > u > w else None
            if kind is None:
                continue
            rounded, beyond = f32(b), (c if by_close else h if sign > 0 else low)
            breaks = first(at + 2, n, lambda j, p=beyond, s=sign, r=rounded: s * p[j] > s * r)
            events.append((at, kind, sign, rounded, breaks))
    for index, (at, kind, sign, rounded, breaks) in enumerate(events):
        if breaks is None:
            continue
        broken[at] = breaks
        if any(later[4] is not None and later[4] <= breaks for later in events[index + 1 :]):
            continue
        (bos if kind == "bos" else choch)[at] = sign
        shown[at] = rounded
    return [bos, choch, shown, broken]


@dataclass
class Blocks:
    """The rows of the order blocks while they are worked out, and which are broken."""

    o: Floats
    h: Floats
    low: Floats
    c: Floats
    v: Floats
    by_close: bool
    rows: list[list[float]] = field(default_factory=list)
    broken: list[bool] = field(default_factory=list)

    def age(self, live: list[int], t: int, sign: float) -> None:
        """Lets bar ``t`` break or erase each live block."""
        body = (min(self.o[t], self.c[t]), max(self.o[t], self.c[t]))
        lowest, highest = body if self.by_close else (self.low[t], self.h[t])
        for i in list(live):
            _, top, bottom, *_ = self.rows[i]
            if self.broken[i]:
                if self.h[t] > top if sign > 0 else self.low[t] < bottom:
                    live.remove(i)
                    self.rows[i] = [0.0] * 6
            elif lowest < bottom if sign > 0 else highest > top:
                self.broken[i] = True
                self.rows[i][4] = t - 1 if sign > 0 else t

    def make(self, q: int, t: int, sign: float) -> int:
        """The block that the break of swing ``q`` on bar ``t`` makes."""
        between = range(q + 1, t)
        if between:
            i = min(between, key=lambda j: (self.low[j] if sign > 0 else -self.h[j], -j))
            upper, lower = self.h[i], self.low[i]
        else:
            i = t - 1
            upper, lower = (self.low[i], self.h[i]) if sign > 0 else (self.h[i], self.low[i])
        early = self.v[t - 2] if t >= 2 else 0.0
        late = self.v[t] + self.v[t - 1]
        smaller, larger = (np.float32(pick(early, late)) for pick in (min, max))
        percent = float(smaller / larger * np.float32(100)) if larger else 100.0
        self.rows[i] = [sign, f32(upper), f32(lower), late + early, self.rows[i][4], percent]
        return i


def order_blocks(
    o: Floats, h: Floats, low: Floats, c: Floats, v: Floats, side: Floats, by_close: bool
) -> list[list[float]]:
    n = len(h)
    blocks = Blocks(o, h, low, c, v, by_close, [[0.0] * 6 for _ in range(n)], [False] * n)
    for sign in (1.0, -1.0):
        used: set[int] = set()
        live: list[int] = []
        for t in range(n):
            blocks.age(live, t, sign)
            q = next((j for j in range(t - 1, -1, -1) if side[j] == sign), None)
            if q is not None and q not in used and (c[t] > h[q] if sign > 0 else c[t] < low[q]):
                used.add(q)
                live.append(blocks.make(q, t, sign))
    rows = [row if row[0] else [NAN] * 6 for row in blocks.rows]
    return [list(column) for column in zip(*rows, strict=True)]


def liquidity(h: Floats, low: Floats, side: Floats, level: Floats, percent: float) -> list[list[float]]:
    n = len(h)
    pool, price, end, swept = ([NAN] * n for _ in range(4))
    tolerance = (max(h) - min(low)) * percent
    for sign, extreme in ((1.0, h), (-1.0, low)):
        unused = [i for i in range(n) if side[i] == sign]
        while unused:
            i = unused.pop(0)
            limit = level[i] + sign * tolerance
            sweep = first(i + 1, n, lambda j, s=sign, p=extreme, x=limit: s * p[j] >= s * x)
            near = [
                j
                for j in unused
                if (sweep is None or j < sweep) and level[i] - tolerance <= level[j] <= level[i] + tolerance
            ]
            if near:
                unused = [j for j in unused if j not in near]
                members = [level[i], *(level[j] for j in near)]
                pool[i], price[i] = sign, sum(members) / len(members)
                end[i], swept[i] = near[-1], sweep or 0
    return [pool, price, end, swept]


def retracements(h: Floats, low: Floats, side: Floats, level: Floats) -> list[list[float]]:
    n = len(h)
    direction, current, deepest = ([0.0] * n for _ in range(3))
    top = bottom = 0.0
    for i in range(n):
        if side[i] == 1.0:
            direction[i], top = 1.0, level[i]
        elif side[i] == -1.0:
            direction[i], bottom = -1.0, level[i]
        else:
            direction[i] = direction[i - 1] if i else 0.0
        before = direction[i - 1] if i else 0.0
        if before == 1.0:
            current[i] = share(low[i] - bottom, top - bottom)
        if direction[i] == -1.0:
            current[i] = share(h[i] - top, bottom - top)
        deepest[i] = max(deepest[i - 1] if i and before == direction[i] else 0.0, current[i])
    columns = [[column[-1], *column[:-1]] for column in (direction, current, deepest)]
    direction = list(columns[0])
    changes = 0
    for i in range(n - 1):
        if direction[i] != direction[i + 1]:
            changes += 1
        for column in columns:
            column[i] = 0.0
        if changes == 3:
            for column in columns:
                column[i + 1] = 0.0
            break
    return columns


def sessions(minute: Sequence[int], h: Floats, low: Floats, start: int, end: int) -> list[list[float]]:
    n = len(h)
    active, high, bottom = ([0.0] * n for _ in range(3))
    for i in range(n):
        inside = start <= minute[i] <= end if start < end else minute[i] >= start or minute[i] <= end
        if inside:
            active[i] = 1.0
            high[i] = max(h[i], high[i - 1]) if i and active[i - 1] else h[i]
            bottom[i] = min(low[i], bottom[i - 1]) if i and active[i - 1] else low[i]
    return [active, high, bottom]


def previous_high_low(times: Sequence[int], h: Floats, low: Floats, label: Callable[[int], int]) -> list[list[float]]:
    """``label`` names the period of a time; the library knows a period by it and compares it with times."""
    n = len(h)
    high, bottom = [NAN] * n, [NAN] * n
    broken_high, broken_low = [0.0] * n, [0.0] * n
    labels = sorted({label(time) for time in times})
    rows = {name: [i for i in range(n) if label(times[i]) == name] for name in labels}
    key_before = -1
    for i in range(n):
        key = sum(name < times[i] for name in labels)
        if key >= 2:
            period = rows[labels[key - 2]]
            high[i], bottom[i] = f32(max(h[j] for j in period)), f32(min(low[j] for j in period))
        held = key == key_before
        broken_high[i] = float(h[i] > high[i] or (held and broken_high[i - 1] > 0))
        broken_low[i] = float(low[i] < bottom[i] or (held and broken_low[i - 1] > 0))
        key_before = key
    return [high, bottom, broken_high, broken_low]
