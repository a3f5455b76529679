"""The book of level 2 and the replay of a recorded tape, in Rust, beside hftbacktest."""

from __future__ import annotations

import gzip
import os
import subprocess  # nosec B404
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from benchmarks.peers import PeerMissing, Unequal
from benchmarks.rows import Row, duel_row, row_of

PROGRAM = Path(__file__).parents[1] / "target" / "peers" / "release" / "books"
SHARED = Path(os.environ.get("SMC_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))
TAPE = ("usdm_btcusdt_20230404", "usdm_btcusdt_20230405")
TICK, LOT = "0.1", "0.001"
BATCH = 64
PEER = "hftbacktest 0.9.4"
LEAST_SHARE = 0.98
"""Of the fills of the maker, so many must be the same in both: what is compared is then the same work."""


class Outcome(msgspec.Struct, frozen=True):
    """Looks at the book with a sum over what was seen, orders sent, and lots bought and sold."""

    looks: int
    seen: int
    orders: int
    bought: int
    sold: int


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the program prints."""

    messages: int
    rows: int
    updates_ns: list[int]
    ours_idle_ns: list[float]
    theirs_idle_ns: list[float]
    ours_maker_ns: list[float]
    theirs_maker_ns: list[float]
    ours: Outcome
    theirs: Outcome


def measure_books(folder: Path, runs: int) -> list[Row]:
    """Replays the recorded tape; no rows where the recording isn't there, `PeerMissing` where the program isn't."""
    files = [SHARED / "crypto_lob" / "hft_raw" / f"{name}.gz" for name in TAPE]
    if not all(file.exists() for file in files):
        return []
    if not PROGRAM.exists():
        raise PeerMissing(f"{PROGRAM} is not built; run `make bench`, which builds benchmarks/peers_rust")
    path = folder / "tape.bin"
    _tape(files).tofile(path)
    command = [str(PROGRAM), str(path), TICK, LOT, str(runs)]
    report = msgspec.json.decode(subprocess.run(command, capture_output=True, check=True).stdout, type=Report)  # nosec
    _compare(report)
    return [
        row_of("book update, one level, means of 64", "ns", np.array(report.updates_ns) / BATCH, 25.0),
        _duel("idle", report.ours_idle_ns, report.theirs_idle_ns, report),
        _duel("with a maker", report.ours_maker_ns, report.theirs_maker_ns, report),
    ]


def _duel(name: str, ours: list[float], theirs: list[float], report: Report) -> Row:
    """Whole replays beside each other, their rates in the note."""
    title = f"replay of {report.messages:,} book messages, {name}"
    note = f"a second: ours {_rate(report, ours)}; theirs {_rate(report, theirs)}"
    return duel_row(title, "ms", ours, theirs, PEER, 3.0, note)


def _rate(report: Report, took_ns: list[float]) -> str:
    seconds = float(np.median(took_ns)) / 1e9
    messages, rows = report.messages / seconds / 1e3, report.rows / seconds / 1e6
    return f"{messages:,.0f} thousand messages, {rows:.1f} million rows"


def _compare(report: Report) -> None:
    """Both saw the same prices at every look, sent the same orders, and filled nearly the same of them."""
    ours, theirs = report.ours, report.theirs
    if (ours.looks, ours.seen, ours.orders) != (theirs.looks, theirs.seen, theirs.orders):
        raise Unequal(f"replays differ in what the agent saw or sent: ours {ours}, theirs {theirs}")
    for mine, other in ((ours.bought, theirs.bought), (ours.sold, theirs.sold)):
        if min(mine, other) < LEAST_SHARE * max(mine, other):
            raise Unequal(f"replays differ in their fills: ours {ours}, theirs {theirs}")


def _steps(text: str, step: str) -> int:
    """A decimal text in whole steps."""
    places = len(step.partition(".")[2])
    whole, _, fraction = text.partition(".")
    return int(whole + fraction[:places].ljust(places, "0"))


def _tape(files: list[Path]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Rows of (message, kind, exchange time, local time, key, quantity), in the order received."""
    rows: list[tuple[int, int, int, int, int, int]] = []
    number = 0
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for line in lines:
                received, _, text = line.partition(" ")
                message = msgspec.json.decode(text)
                read = _levels(message) if "lastUpdateId" in message else _message(message["data"])
                if read is not None:
                    kind, at, levels = read
                    rows += [(number, kind, at, int(received) * 1_000, *level) for level in levels]
                    number += 1
    return np.array(rows, dtype=np.int64)


def _message(data: dict[str, Any]) -> tuple[int, int, list[tuple[int, int]]] | None:
    if data["e"] == "depthUpdate":
        return _levels({"T": data["T"], "bids": data["b"], "asks": data["a"]}, 0)
    if data["e"] == "trade" and data["X"] == "MARKET":
        taker = -1 if data["m"] else 1
        return 2, data["T"] * 1_000_000, [(taker * _steps(data["p"], TICK), _steps(data["q"], LOT))]
    return None


def _levels(data: dict[str, Any], kind: int = 1) -> tuple[int, int, list[tuple[int, int]]]:
    bids = [(_steps(price, TICK), _steps(quantity, LOT)) for price, quantity in data["bids"]]
    asks = [(-_steps(price, TICK), _steps(quantity, LOT)) for price, quantity in data["asks"]]
    return kind, data["T"] * 1_000_000, bids + asks
