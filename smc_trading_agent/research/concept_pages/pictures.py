"""Commands that draw the pictures of the pages: one `smc-agent chart` for each concept that makes records.

`python -m smc_trading_agent.research.concept_pages.pictures ROOT FILE... --with SECOND` reads the synthetic markets in
the files and prints them, each from the first market that has its concept, or, where that takes two instruments, from
the first market with the second; `make docs-pictures` runs them. A picture shows an instance that the market happened
to make, chosen by rule: the first after a quarter of the file whose life fits the picture.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from smc_trading_agent._core import EVENT_KINDS, Bars, Detector, DivergenceDetector, Event, timeframe_ns
from smc_trading_agent.domain.clock import utc_text
from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.research.concept_pages.pages import PICTURES, Tree, kinds_of, read_tree
from smc_trading_agent.research.pairs import Pair, bars_of, pair_of
from smc_trading_agent.runtime.markets import FileOptions, open_file

TIMEFRAME = "5m"
BEFORE, AFTER = 30, 20
"""Bars shown before the thing formed and after the last record of its life."""
SHORTEST, LONGEST = 10, 90
"""Bars from forming to the last record that make a readable picture."""
LOOK = "--theme light --width 900 --scale 1"
HEIGHT, BELOW = 420, 120
"""Of a picture, and how much more where a second instrument stands below; pixels."""


class Shot(msgspec.Struct, frozen=True):
    """What a picture shows: kinds of record, times in ns, and the file of the second instrument where there is one."""

    module: str
    kinds: tuple[str, ...]
    start: int
    end: int
    second: Path | None = None


def beginnings(kinds: Sequence[str]) -> tuple[str, ...]:
    """The kinds that begin something, not named after another kind as `order_block_touched` is; all where none does."""
    named = [kind for kind in kinds if not any(kind.startswith(f"{other}_") for other in EVENT_KINDS if other != kind)]
    return tuple(named) or tuple(kinds)


def shots(tree: Tree, bars: Bars) -> Iterator[Shot]:
    """A shot for each concept of which the bars hold an instance."""
    yield from _shots(tree, bars, Detector(bars.timeframe).run(bars), {}, None)


def pair_shots(tree: Tree, pair: Pair, second: Path) -> Iterator[Shot]:
    """A shot for each concept of which the two instruments hold an instance together."""
    detector, events, begun = DivergenceDetector(pair.first.timeframe, pair.config), list[Event](), dict[int, int]()
    for step in pair.steps():
        for event in detector.update(*step):
            events.append(event)
            anchors = detector.anchors(event.id)
            if anchors is not None:
                begun[event.id] = min(time for older, _ in anchors for time in older[:1])
    yield from _shots(tree, pair.first, events, begun, second)


def _shots(
    tree: Tree, bars: Bars, events: list[Event], begun: Mapping[int, int], second: Path | None
) -> Iterator[Shot]:
    """``begun`` is when a thing began, by the id of its event, where it began before it formed."""
    later = bars[len(bars) // 4].open_time
    for module in tree.sources.concepts:
        kinds = beginnings(kinds_of(tree, module))
        known = [event for event in events if event.confirmed_at > later]
        found = _instance(kinds, known, begun, timeframe_ns(bars.timeframe))
        if found is not None:
            beside = tuple(kind for kind in tree.entry(module).beside if kind in EVENT_KINDS)
            start, end = found
            step = timeframe_ns(bars.timeframe)
            yield Shot(module, kinds + beside, start - BEFORE * step, end + AFTER * step, second)


def _instance(
    kinds: tuple[str, ...], events: list[Event], begun: Mapping[int, int], step: int
) -> tuple[int, int] | None:
    """When the first readable instance began, and when its last record came; of the first, where none is readable."""
    ends = {event.zone_id: event.confirmed_at for event in events if not event.kind.endswith("_expired")}
    made = [event for event in events if event.kind in kinds]
    spans = [(begun.get(event.id, event.formed_at), ends.get(event.id, event.confirmed_at)) for event in made]
    lived = [span for span in spans if SHORTEST * step <= span[1] - span[0] <= LONGEST * step]
    return next(iter(lived or spans), None)


def command(shot: Shot, file: Path) -> str:
    """The command that draws a shot."""
    times = [utc_text(time).removesuffix(" UTC").replace(" ", "T") for time in (shot.start, shot.end)]
    out = PICTURES / f"{shot.module}.png"
    words = ["smc-agent", "chart", "--data", str(file), "--timeframe", TIMEFRAME, "--from", times[0], "--to", times[1]]
    words += ["--with", str(shot.second)] if shot.second else []
    words += ["--concepts", ",".join(dict.fromkeys(shot.kinds)), "--out", out.as_posix(), *LOOK.split()]
    words += ["--height", str(HEIGHT + BELOW if shot.second else HEIGHT)]
    return shlex.join(words)


def main() -> None:
    """Prints the commands for the source tree and the files named on the command line."""
    root, *given = sys.argv[1:]
    if len(given) < 3 or given[-2] != "--with":
        raise ConfigError("the pictures want ROOT FILE... --with SECOND; see `make docs-pictures`")
    files, second = [Path(name) for name in given[:-2]], Path(given[-1])
    tree, drawn = read_tree(Path(root)), set[str]()
    markets = [(file, bars_of(open_file(file, FileOptions()).market.feed.batches(0), TIMEFRAME)) for file in files]
    pair = pair_of(markets[0][1], second.name, open_file(second, FileOptions()), inverse=False)
    found = [(shot, file) for file, bars in markets for shot in shots(tree, bars)]
    found += [(shot, files[0]) for shot in pair_shots(tree, pair, second)]
    for shot, file in found:
        if shot.module not in drawn:
            drawn.add(shot.module)
            sys.stdout.write(command(shot, file) + "\n")


if __name__ == "__main__":
    main()
