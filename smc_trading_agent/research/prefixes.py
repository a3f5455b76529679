"""The proof against repainting: whatever was read on a prefix must stand, unchanged, in the reading of the whole."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

import msgspec

from smc_trading_agent._core import Bars, PrefixAudit, ReadingAudit, audit_legacy
from smc_trading_agent.domain.settings import StructureSettings
from smc_trading_agent.runtime.assembly import Market

SNAPSHOTS = 16
"""Bars after which a snapshot is restored and goes on to the end."""

LEGACY_SWING_LENGTH = 50
"""The library's own default."""

Progress = Callable[[int, int], None]
"""Hears bars read, of how many."""


class PrefixSample(msgspec.Struct, frozen=True):
    """Which bars are replayed, and the lengths of the prefixes of them."""

    first: int
    bars: int
    lengths: tuple[int, ...]


class Counts(msgspec.Struct, frozen=True):
    """Readings of prefixes, and how many the whole run has differently, lacks, or had where a prefix lacked them."""

    readings: int = 0
    rewritten: int = 0
    vanished: int = 0
    backdated: int = 0

    @property
    def differing(self) -> int:
        """How many are not as they were."""
        return self.rewritten + self.vanished + self.backdated


class ZoneCounts(msgspec.Struct, frozen=True):
    """Sets of live zones at the ends of prefixes, the zones in them, and sets the whole run had differently."""

    sets: int
    zones: int
    differing: int


class Concept(msgspec.Struct, frozen=True):
    """A concept's events, all together and kind by kind, and its live zones if it has any."""

    events: Counts
    kinds: dict[str, Counts]
    zones: ZoneCounts | None


class Restored(msgspec.Struct, frozen=True):
    """Snapshots that were restored, the readings after that, and what differed from the run without."""

    snapshots: int
    readings: int
    differing_readings: int
    differing_states: int


class PrefixVerdict(msgspec.Struct, frozen=True):
    """What the prefixes gave; all counts over the sampled window, all timeframes together."""

    bars: int
    prefixes: int
    bars_read: int
    readings: int
    rewritten: int
    vanished: int
    backdated: int
    differing_places: int
    differing_zone_sets: int
    concepts: dict[str, Concept]
    features: dict[str, Counts]
    stream_equals_batch: bool
    restored: Restored

    @property
    def passed(self) -> bool:
        """Whether nothing differs anywhere."""
        restored = self.restored.differing_readings + self.restored.differing_states
        differing = self.rewritten + self.vanished + self.backdated + self.differing_zone_sets + restored
        return differing == 0 and self.stream_equals_batch


class LegacyVerdict(msgspec.Struct, frozen=True):
    """What the functions of the library `smartmoneyconcepts` do on the same prefixes.

    ``places`` are distinct rows and columns at which a value was changed, taken back, or put in later; ``columns``
    count each of them once for every prefix that shows it.
    """

    places: int
    columns: dict[str, Counts]

    @property
    def total(self) -> Counts:
        """All columns together."""
        return sum_of(self.columns.values())


def sample_prefixes(total: int, window: int | None, count: int | None) -> PrefixSample:
    """The newest ``window`` of ``total`` bars, and ``count`` prefix lengths spread evenly over them.

    None stands for all; all lengths too when there are no more of them than ``count``.
    """
    bars = total if window is None else min(total, window)
    wanted = bars if count is None else min(bars, count)
    lengths = tuple(sorted({1 + position * (bars - 1) // max(wanted - 1, 1) for position in range(wanted)}))
    return PrefixSample(first=total - bars, bars=bars, lengths=lengths)


def window_bars(market: Market, sample: PrefixSample) -> Bars:
    """The bars of the sample's window."""
    return Bars.concat(list(market.feed.batches(sample.first)))


def verify_prefixes(
    market: Market, settings: StructureSettings, window: Bars, lengths: tuple[int, ...], threads: int, told: Progress
) -> PrefixVerdict:
    """Replays prefixes of ``window`` with new analyzers, streams it and restores snapshots; all must agree."""
    audit = ReadingAudit(
        market.instrument,
        settings.decision_timeframe,
        list(settings.context_timeframes),
        json.dumps(settings.detector),
        window,
    )
    found = audit.prefixes(lengths, threads, told)
    total = Counts(*found.total())
    cuts = [position * len(window) // SNAPSHOTS for position in range(SNAPSHOTS)]
    return PrefixVerdict(
        bars=len(window),
        prefixes=found.prefixes,
        bars_read=found.bars_read,
        readings=total.readings,
        rewritten=total.rewritten,
        vanished=total.vanished,
        backdated=total.backdated,
        differing_places=found.places,
        differing_zone_sets=sum(differing for _, (_, _, differing) in found.zones()),
        concepts=concepts_of(found),
        features=columns_of(found),
        stream_equals_batch=audit.stream_equals_batch(lengths),
        restored=Restored(*audit.restored(cuts)),
    )


def verify_legacy(
    market: Market, window: Bars, lengths: tuple[int, ...], threads: int, causal: bool, told: Progress
) -> LegacyVerdict:
    """The same prefixes under the library's functions with its default arguments, as they are or ``causal``."""
    found = audit_legacy(market.instrument, window, LEGACY_SWING_LENGTH, causal, lengths, threads, told)
    return LegacyVerdict(places=found.places, columns=columns_of(found))


def columns_of(found: PrefixAudit) -> dict[str, Counts]:
    """The counts of each column."""
    return {name: Counts(*counts) for name, counts in found.columns()}


def concepts_of(found: PrefixAudit) -> dict[str, Concept]:
    """The counts of each concept, by the name of the kind that begins it."""
    kinds: dict[str, dict[str, Counts]] = {}
    for concept, kind, counts in found.events():
        kinds.setdefault(concept, {})[kind] = Counts(*counts)
    zones = {kind: ZoneCounts(*counts) for kind, counts in found.zones()}
    return {name: Concept(sum_of(of.values()), of, zones.get(name)) for name, of in kinds.items()}


def sum_of(counts: Iterable[Counts]) -> Counts:
    """All of them together."""
    parts = list(counts)
    names = Counts.__struct_fields__
    return Counts(**{name: sum(getattr(part, name) for part in parts) for name in names})
