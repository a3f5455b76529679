"""What `smc-agent verify` shows a person: a line a concept, the features, and the library beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE
from rich.table import Table

from smc_trading_agent.cli.output import emit, results
from smc_trading_agent.research.pair_proof import PairVerdict
from smc_trading_agent.research.prefixes import Counts, LegacyVerdict, PrefixVerdict, Restored

DIFFERENCES = ("rewritten", "vanished", "backdated")


def print_verdict(
    audit: PrefixVerdict, peers: Mapping[str, LegacyVerdict], pair: PairVerdict | None, payload: Mapping[str, Any]
) -> None:
    """Prints the tables on standard output; ``payload`` is what --json would give.

    The column "zones" counts the sets of live zones that differ.
    """
    results.print(_concept_table(audit))
    for name, peer in peers.items():
        if peer.places or name == "legacy":
            results.print(_legacy_table(name, peer))
    shown: dict[str, object] = {name: value for name, value in payload.items() if not isinstance(value, dict)}
    shown["restored"] = _restored_text(audit.restored)
    if pair is not None:
        differing = sum(counts.differing for counts in pair.in_force.values())
        shown["with"] = (
            f"{pair.label} {pair.instrument}, {pair.prefixes:,} prefixes of {pair.steps:,} steps, "
            f"{pair.steps_read:,} read; {differing:,} numbers in force differ"
        )
        shown["stream equals batch, both"] = pair.stream_equals_batch
        shown["restored, both"] = _restored_text(pair.restored)
    for name, peer in peers.items():
        shown[name] = f"{peer.total.readings:,} readings, {peer.total.differing:,} differ, at {peer.places:,} places"
    emit(shown, False)


def _restored_text(restored: Restored) -> str:
    return (
        f"{restored.snapshots:,} snapshots, {restored.readings:,} readings after them, "
        f"{restored.differing_readings + restored.differing_states:,} differ"
    )


def _table(title: str, first: str, *more: str) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for column in ("readings", *DIFFERENCES, *more):
        table.add_column(column, justify="right")
    return table


def _cells(counts: Counts) -> list[str]:
    return [_cell(getattr(counts, name), name in DIFFERENCES) for name in ("readings", *DIFFERENCES)]


def _cell(number: int, is_bad: bool) -> str:
    return f"[bold red]{number:,}[/]" if is_bad and number else f"{number:,}"


def _concept_table(audit: PrefixVerdict) -> Table:
    table = _table("over all prefixes", "concept", "zones")
    for name, concept in audit.concepts.items():
        zones = concept.zones
        table.add_row(name, *_cells(concept.events), _cell(zones.differing, True) if zones else "")
    table.add_section()
    for name, counts in audit.features.items():
        if counts.differing:
            table.add_row(name, *_cells(counts))
    features = list(audit.features.values())
    total = Counts(*(sum(getattr(counts, name) for counts in features) for name in Counts.__struct_fields__))
    table.add_row(f"{len(features)} features", *_cells(total))
    return table


def _legacy_table(name: str, peer: LegacyVerdict) -> Table:
    how = "its causal twins" if name == "legacy_causal" else "as it is"
    table = _table(f"smartmoneyconcepts, {how}, on the same prefixes: {peer.places:,} places differ", "column")
    for column, counts in peer.columns.items():
        table.add_row(column, *_cells(counts))
    return table
