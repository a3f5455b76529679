"""Parts of a fold's training rows that judge how far to fit, with what overlaps them in time left out of the rest."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from smc_trading_agent.decision_engine.training.samples import Indices, Labels, Samples


def purged_tail(samples: Samples, labels: Labels, share: float) -> tuple[Indices, Indices]:
    """Rows to fit on, and the newest ``share`` of rows; all of the former had ended before the first of the latter.

    Of fewer than two rows there is no tail.
    """
    order = np.argsort(samples.known_at, kind="stable")
    cut = len(order) - round(share * len(order))
    early, late = order[:cut], order[cut:]
    if len(late):
        early = early[labels.end[early] < samples.known_at[late[0]]]
    return early, late


def purged_blocks(samples: Samples, labels: Labels, count: int) -> Iterator[tuple[Indices, Indices]]:
    """For each of ``count`` blocks in time: the rows apart from it in time, and its own rows."""
    order = np.argsort(samples.known_at, kind="stable")
    for block in np.array_split(order, min(count, len(order))):
        first, last = samples.known_at[block].min(), labels.end[block].max()
        apart = (labels.end < first) | (samples.known_at > last)
        yield np.flatnonzero(apart), block
