"""The same proof for two instruments: what their divergences say on a prefix of both must stand in the whole.

Prefixes are cut after steps (open times at which at least one of the two has a bar), so both instruments end together.
"""

from __future__ import annotations

import msgspec

from smc_trading_agent._core import DivergenceDetector, Event, audit_divergence
from smc_trading_agent.research.pairs import Pair
from smc_trading_agent.research.prefixes import (
    SNAPSHOTS,
    Concept,
    Counts,
    PrefixVerdict,
    Progress,
    Restored,
    columns_of,
    concepts_of,
    sample_prefixes,
    sum_of,
)

CONCEPT = "smt_divergence"
END = 1 << 62
"""After every bar, in ns."""


class PairVerdict(msgspec.Struct, frozen=True):
    """What the prefixes of two instruments gave, with the file and the name of the second.

    ``in_force`` counts, like a feature, how many divergences were in force after each step.
    """

    file: str
    instrument: str
    label: str
    steps: int
    prefixes: int
    steps_read: int
    differing_places: int
    concept: Concept
    in_force: dict[str, Counts]
    stream_equals_batch: bool
    restored: Restored

    @property
    def passed(self) -> bool:
        """Whether nothing differs anywhere."""
        counts = [self.concept.events, *self.in_force.values()]
        restored = self.restored.differing_readings + self.restored.differing_states
        return sum(part.differing for part in counts) + restored == 0 and self.stream_equals_batch


def verify_pair(pair: Pair, window: int | None, count: int | None, threads: int, told: Progress) -> PairVerdict:
    """Replays ``count`` prefixes of the newest ``window`` steps (None: all) through new detectors of divergences."""
    times = pair.times
    sample = sample_prefixes(len(times), window, count)
    replayed = pair.between(int(times[sample.first]), END)
    found = audit_divergence(replayed.first, replayed.second, pair.config, sample.lengths, threads, told)
    return PairVerdict(
        file=pair.file,
        instrument=pair.instrument.key,
        label=pair.label,
        steps=sample.bars,
        prefixes=found.prefixes,
        steps_read=found.bars_read,
        differing_places=found.places,
        concept=concepts_of(found)[CONCEPT],
        in_force=columns_of(found),
        stream_equals_batch=_streams_the_same(replayed),
        restored=_restored(replayed),
    )


def joined(audit: PrefixVerdict, pair: PairVerdict) -> PrefixVerdict:
    """The verdict on one instrument with the concept that needs two counted in."""
    more = sum_of([pair.concept.events, *pair.in_force.values()])
    return msgspec.structs.replace(
        audit,
        readings=audit.readings + more.readings,
        rewritten=audit.rewritten + more.rewritten,
        vanished=audit.vanished + more.vanished,
        backdated=audit.backdated + more.backdated,
        differing_places=audit.differing_places + pair.differing_places,
        concepts={**audit.concepts, CONCEPT: pair.concept},
    )


def _detector(pair: Pair) -> DivergenceDetector:
    return DivergenceDetector(pair.first.timeframe, pair.config)


def _streams_the_same(pair: Pair) -> bool:
    """Whether step after step reads what one batch reads, and leaves the same state."""
    batch, stream = _detector(pair), _detector(pair)
    events: list[Event] = []
    for first, second in pair.steps():
        events += stream.update(first, second)
    return batch.run(pair.first, pair.second) == events and batch.snapshot() == stream.snapshot()


def _restored(pair: Pair) -> Restored:
    """Restores a snapshot after each of `SNAPSHOTS` steps, and lets it go on to the end beside a run without."""
    times = pair.times
    whole, original = _detector(pair), _detector(pair)
    events = whole.run(pair.first, pair.second)
    cuts = [int(times[position * len(times) // SNAPSHOTS]) for position in range(SNAPSHOTS)]
    readings = differing = states = told = 0
    for before, cut in zip([0, *cuts], cuts, strict=False):
        part = pair.between(before, cut)
        told += len(original.run(part.first, part.second))
        copy = DivergenceDetector.from_snapshot(original.snapshot())
        states += copy.snapshot() != original.snapshot()
        rest, expected = pair.between(cut, END), events[told:]
        seen = copy.run(rest.first, rest.second)
        readings += len(seen)
        differing += abs(len(seen) - len(expected)) + sum(a != b for a, b in zip(seen, expected, strict=False))
        states += copy.snapshot() != whole.snapshot()
    return Restored(len(cuts), readings, differing, states)
