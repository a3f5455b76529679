"""What a bundle says of itself: its files with their hashes, where it came from, and what it may be used for."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Literal

import msgspec

from smc_trading_agent.decision_engine.ensemble.signing import canonical_json

SCHEMA_VERSION = 1
MANIFEST, SIGNATURE = "manifest.json", "signature.json"
CALIBRATORS, ENSEMBLE, NORMALISER, DRIFT, CARD = (
    "calibrators.json",
    "ensemble.json",
    "normaliser.json",
    "drift.json",
    "model_card.md",
)
FINDINGS, REPORT = "findings.json", "report.html"
"""What training found, as numbers and as a page; a bundle may have them."""
REQUIRED = (CALIBRATORS, ENSEMBLE, NORMALISER, DRIFT, CARD)
"""Files that every bundle has beside its experts'."""

ExpertKind = Literal["logistic", "row", "stream"]


class FileEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of the bundle: its name (no folders), its SHA-256 in hex, its size in bytes."""

    name: str
    sha256: str
    size: int


class ExpertEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One expert. ``kind``: ``logistic`` (JSON), ``row`` (ONNX on the context row), ``stream`` (ONNX with state)."""

    name: str
    kind: ExpertKind
    file: str
    metrics: dict[str, float] = {}


class Provenance(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the bundle was made from: SHA-256 by data file, commit, seeds, and the training settings."""

    data: dict[str, str]
    commit: str
    seeds: tuple[int, ...]
    settings: dict[str, str] = {}


class TrainingRange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """First and last label time in nanoseconds since the epoch, and the number of labels."""

    start: int
    end: int
    labels: int


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file ``manifest.json``. ``bundle_id`` is a hash over all the rest, so over every file of the bundle.

    ``instruments`` are keys such as ``binance_usdm:BTCUSDT``; ``verdict`` says in one sentence what evaluation showed.
    """

    feature_schema: str
    experts: tuple[ExpertEntry, ...]
    instruments: tuple[str, ...]
    timeframes: tuple[str, ...]
    training: TrainingRange
    provenance: Provenance
    verdict: str
    metrics: dict[str, float] = {}
    files: tuple[FileEntry, ...] = ()
    bundle_id: str = ""
    schema_version: int = SCHEMA_VERSION


def sealed(manifest: Manifest) -> Manifest:
    """The same manifest with the id that its content gives it."""
    return msgspec.structs.replace(manifest, bundle_id=content_hash(manifest))


def content_hash(manifest: Manifest) -> str:
    """``b`` and 20 hex digits over the canonical JSON of the manifest without its id."""
    content = canonical_json(msgspec.structs.replace(manifest, bundle_id=""))
    return "b" + hashlib.blake2b(content, digest_size=10).hexdigest()


def schema_hash(feature_names: Sequence[str], setup_columns: Sequence[str]) -> str:
    """16 hex digits over the names and order of all input columns: features of the core, then of the setup."""
    text = "\x1e".join("\x1f".join(names) for names in (feature_names, setup_columns))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
