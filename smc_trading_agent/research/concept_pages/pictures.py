"""Commands that draw the pictures of the pages: one `smc-agent chart` for each concept that makes records.

`python -m smc_trading_agent.research.concept_pages.pictures ROOT FILE...` reads the synthetic markets in the files and
prints them, each from the first market that has its concept; `make docs-pictures` runs them. It shows an instance
that the market happened to make, chosen by rule: the first after a quarter of the file whose life fits the picture.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from smc_trading_agent._core import EVENT_KINDS, Bars, Detector, Event, timeframe_ns
from smc_trading_agent.domain.clock import utc_text
from smc_trading_agent.research.base_rates import bars_of
from smc_trading_agent.research.concept_pages.pages import PICTURES, Tree, kinds_of, read_tree
from smc_trading_agent.runtime.markets import FileOptions, open_file

TIMEFRAME = "5m"
BEFORE, AFTER = 30, 20
"""Bars shown before the thing formed and after the last record of its life."""
SHORTEST, LONGEST = 10, 90
"""Bars from forming to the last record that make a readable picture."""
LOOK = "--theme light --width 900 --height 420 --scale 1"


class Shot(msgspec.Struct, frozen=True):
    """What a picture shows: kinds of record, and times in ns."""

    module: str
    kinds: tuple[str, ...]
    start: int
    end: int


def beginnings(kinds: Sequence[str]) -> tuple[str, ...]:
    """The kinds that begin something, not named after another kind as `order_block_touched` is; all where none does."""
    named = [kind for kind in kinds if not any(kind.startswith(f"{other}_") for other in EVENT_KINDS if other != kind)]
    return tuple(named) or tuple(kinds)


def shots(tree: Tree, bars: Bars) -> Iterator[Shot]:
    """A shot for each concept of which the bars hold an instance."""
    events = Detector(bars.timeframe).run(bars)
    later = bars[len(bars) // 4].open_time
    for module in tree.sources.concepts:
        kinds = beginnings(kinds_of(tree, module))
        found = _instance(
            kinds, [event for event in events if event.confirmed_at > later], timeframe_ns(bars.timeframe)
        )
        if found is not None:
            beside = tuple(kind for kind in tree.entry(module).beside if kind in EVENT_KINDS)
            start, end = found
            step = timeframe_ns(bars.timeframe)
            yield Shot(module, kinds + beside, start - BEFORE * step, end + AFTER * step)


def _instance(kinds: tuple[str, ...], events: list[Event], step: int) -> tuple[int, int] | None:
    """When the first readable instance formed, and when its last record came; of the first, where none is readable."""
    ends = {event.zone_id: event.confirmed_at for event in events if not event.kind.endswith("_expired")}
    spans = [(event.formed_at, ends.get(event.id, event.confirmed_at)) for event in events if event.kind in kinds]
    lived = [span for span in spans if SHORTEST * step <= span[1] - span[0] <= LONGEST * step]
    return next(iter(lived or spans), None)


def command(shot: Shot, file: Path) -> str:
    """The command that draws a shot."""
    times = [utc_text(time).removesuffix(" UTC").replace(" ", "T") for time in (shot.start, shot.end)]
    out = PICTURES / f"{shot.module}.png"
    words = ["smc-agent", "chart", "--data", str(file), "--timeframe", TIMEFRAME, "--from", times[0], "--to", times[1]]
    words += ["--concepts", ",".join(dict.fromkeys(shot.kinds)), "--out", out.as_posix(), *LOOK.split()]
    return shlex.join(words)


def main() -> None:
    """Prints the commands for the source tree and the files named on the command line."""
    tree, drawn = read_tree(Path(sys.argv[1])), set[str]()
    for file in map(Path, sys.argv[2:]):
        bars = bars_of(open_file(file, FileOptions()).market.feed.batches(0), TIMEFRAME)
        for shot in shots(tree, bars):
            if shot.module not in drawn:
                drawn.add(shot.module)
                sys.stdout.write(command(shot, file) + "\n")


if __name__ == "__main__":
    main()
