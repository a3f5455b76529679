"""The proof against repainting: whatever was read on a prefix must stand, unchanged, in the reading of the whole."""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec

from smc_trading_agent._core import Bars, audit_prefixes
from smc_trading_agent.domain.settings import StructureSettings
from smc_trading_agent.runtime.assembly import Market

CHUNK = 50


class PrefixSample(msgspec.Struct, frozen=True):
    """Which bars are replayed, and the lengths of the prefixes of them."""

    first: int
    bars: int
    lengths: tuple[int, ...]


class PrefixVerdict(msgspec.Struct, frozen=True):
    """What the prefixes gave; all counts over the sampled window, all timeframes together."""

    bars: int
    prefixes: int
    readings: int
    rewritten: int
    vanished: int
    stream_equals_batch: bool


def sample_prefixes(total: int, window: int, count: int) -> PrefixSample:
    """The newest ``window`` of ``total`` bars, and ``count`` prefix lengths spread evenly over them.

    All lengths when there are no more of them than ``count``.
    """
    bars = min(total, window)
    wanted = min(bars, count)
    lengths = tuple(sorted({1 + position * (bars - 1) // max(wanted - 1, 1) for position in range(wanted)}))
    return PrefixSample(first=total - bars, bars=bars, lengths=lengths)


def verify_prefixes(
    market: Market, settings: StructureSettings, sample: PrefixSample, progress: Callable[[int], None]
) -> PrefixVerdict:
    """Replays each prefix with a new analyzer and compares its events and features with one run over the window."""
    window = Bars.concat(list(market.feed.batches(sample.first)))
    readings = rewritten = vanished = 0
    same = True
    for start in range(0, len(sample.lengths), CHUNK):
        audit = audit_prefixes(
            market.instrument,
            market.base_timeframe,
            settings.decision_timeframe,
            list(settings.context_timeframes),
            json.dumps(settings.detector),
            window,
            sample.lengths[start : start + CHUNK],
        )
        readings += audit.readings
        rewritten += audit.rewritten
        vanished += audit.vanished
        same = same and audit.stream_equals_batch
        progress(min(start + CHUNK, len(sample.lengths)))
    return PrefixVerdict(sample.bars, len(sample.lengths), readings, rewritten, vanished, same)
