"""Structure beside quantwave's: in Rust one bar at a time, and from Python over columns."""

from __future__ import annotations

import subprocess  # nosec B404
from pathlib import Path

import msgspec

from benchmarks.peers import PeerMissing, peer, titled
from benchmarks.rows import Row, alternate, duel_row
from benchmarks.walk import random_walk
from smc_trading_agent.smc_detector.compat import smc

PROGRAM = Path(__file__).parents[1] / "target" / "peers" / "release" / "peers-rust"
SEED = 7
SIZES = (3, 50)
"""Bars on either side of a swing: quantwave's default, and what the library's users take."""

DIFFERS = (
    "theirs flips its bias on the order of swings; ours confirms pivots and emits BOS and CHoCH by close. Their swings "
    "are among our pivots"
)


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What benchmarks/peers_rust prints: nanoseconds of whole runs, and what was found."""

    bars: int
    ours_ns: list[float]
    theirs_ns: list[float]
    our_pivots: int
    our_breaks: int
    their_swings: int


def measure_structure(folder: Path, count: int, runs: int) -> list[Row]:
    """Over ``count`` bars, laid down in ``folder`` for the Rust program; `PeerMissing` where that isn't built."""
    if not PROGRAM.exists():
        raise PeerMissing(f"{PROGRAM} is not built; run `make bench`, which builds benchmarks/peers_rust")
    walk = random_walk(count, SEED)
    path = folder / "walk.bin"
    walk.ticks().astype("<i8").tofile(path)
    return [*(_in_rust(path, size, runs) for size in SIZES), *_from_python(count, runs)]


def _in_rust(path: Path, size: int, runs: int) -> Row:
    command = [str(PROGRAM), str(path), str(size), str(runs)]
    report = msgspec.json.decode(subprocess.run(command, capture_output=True, check=True).stdout, type=Report)  # nosec
    ours, theirs = ([taken / report.bars for taken in runs] for runs in (report.ours_ns, report.theirs_ns))
    name = f"structure of size {size}, one bar, in Rust"
    return duel_row(name, "ns", ours, theirs, "quantwave-core 0.8.1", 1.0, DIFFERS)


def _from_python(count: int, runs: int) -> list[Row]:
    quantwave = peer("quantwave")
    walk = random_walk(count, SEED)
    bars, (high, low) = walk.frame(), (walk.high, walk.low)
    rows = []
    for size in SIZES:

        def ours(size: int = size) -> object:
            swings = smc.swing_highs_lows(bars, size, causal=True)
            return smc.bos_choch(bars, swings, causal=True)

        def theirs(size: int = size) -> object:
            return quantwave.market_structure_batch(size, high, low)

        times = alternate(runs, ours, theirs)
        name = f"structure of size {size}, {count:,} bars, from Python"
        note = "ours: causal swings and breaks as columns; theirs: a list of states"
        rows.append(duel_row(name, "ms", *times, titled("quantwave"), 1.0, note))
    return rows
