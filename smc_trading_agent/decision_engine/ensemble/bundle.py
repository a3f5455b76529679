"""A bundle of models: written whole or not at all, and refused where a single byte is not as it was signed.

Loading reads each file once and checks, in this order: the signature over the manifest, the manifest's own hash, the
list of files, each file's hash; only then is the content of any file parsed, from the bytes that were checked. Files
are ONNX, JSON, and documents for people; there is no format here that could carry code to run.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from smc_trading_agent._core import FEATURE_NAMES
from smc_trading_agent.decision_engine.ensemble.calibrators import Calibrator
from smc_trading_agent.decision_engine.ensemble.inputs import CONTEXT_COLUMNS, FEATURE_SCHEMA, Normaliser
from smc_trading_agent.decision_engine.ensemble.manifest import (
    CALIBRATORS,
    DRIFT,
    ENSEMBLE,
    MANIFEST,
    NORMALISER,
    REQUIRED,
    SCHEMA_VERSION,
    SIGNATURE,
    FileEntry,
    Manifest,
    content_hash,
    sealed,
)
from smc_trading_agent.decision_engine.ensemble.parameters import DriftReference, EnsembleParameters
from smc_trading_agent.decision_engine.ensemble.signing import canonical_json, check_signature, sign
from smc_trading_agent.domain.errors import BundleError

Parsed = TypeVar("Parsed")
SUFFIXES = frozenset({".onnx", ".json", ".md", ".html"})
COPY = "copy the bundle again from where it was made"


class Use(msgspec.Struct, frozen=True):
    """What a bundle is wanted for: an instrument's key, the decision timeframe, the hash of the input columns."""

    instrument: str
    timeframe: str
    feature_schema: str = FEATURE_SCHEMA


class Bundle(msgspec.Struct, frozen=True):
    """A bundle whose every byte was checked. ``signed_by`` is empty where an unsigned one was allowed."""

    manifest: Manifest
    signed_by: str
    calibrators: dict[str, Calibrator]
    ensemble: EnsembleParameters
    normaliser: Normaliser
    drift: DriftReference
    contents: dict[str, bytes]

    @property
    def bundle_id(self) -> str:
        """Hash over everything in the bundle."""
        return self.manifest.bundle_id


def write_bundle(
    parent: Path, manifest: Manifest, contents: Mapping[str, bytes], key: Ed25519PrivateKey | None = None
) -> Path:
    """Writes ``contents`` (bytes by file name) as the folder ``parent/<bundle id>`` and returns it.

    ``manifest`` comes without files and id; they are filled in. The folder appears whole by one rename. The same
    content has the same id: a folder that is there already is kept, and signed anew where a key is given.
    Raises `BundleError` where the parts don't make a bundle.
    """
    entries = tuple(FileEntry(name, _sha256(data), len(data)) for name, data in sorted(contents.items()))
    made = sealed(msgspec.structs.replace(manifest, files=entries))
    where = parent / made.bundle_id
    _check_files(made, where)
    _check_parts(_parsed(made, "", contents, where), where)
    head = canonical_json(made)
    files = {**contents, MANIFEST: head} | ({} if key is None else {SIGNATURE: sign(head, key)})
    if where.is_dir():
        if key is not None:
            _write(where / f".{SIGNATURE}.partial", files[SIGNATURE])
            (where / f".{SIGNATURE}.partial").replace(where / SIGNATURE)
        return where
    partial = parent / f".{made.bundle_id}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name, data in files.items():
        _write(partial / name, data)
    partial.replace(where)
    return where


def read_manifest(folder: Path) -> Manifest:
    """The manifest alone, for lists; nothing of it has been verified."""
    return _parse(_read(folder / MANIFEST), Manifest, folder / MANIFEST)


def load_bundle(
    folder: Path,
    use: Use | None = None,
    trusted: Mapping[str, Ed25519PublicKey] | None = None,
    allow_unsigned: bool = False,
) -> Bundle:
    """Reads and verifies a bundle; ``use`` None leaves out the check of what it is wanted for.

    Raises `BundleError` naming the file, what was expected, what was found, and the remedy.
    """
    if not folder.is_dir():
        raise BundleError(f"{folder} is no bundle: there is no such folder; name one with decision.models.bundle")
    head = _read(folder / MANIFEST)
    signature = _read(folder / SIGNATURE) if (folder / SIGNATURE).exists() else None
    signed_by = check_signature(signature, head, trusted or {}, allow_unsigned, folder)
    manifest = _parse(head, Manifest, folder / MANIFEST)
    if manifest.schema_version != SCHEMA_VERSION:
        raise BundleError(
            f"{folder / MANIFEST} has schema version {manifest.schema_version}, expected {SCHEMA_VERSION}; "
            "train the bundle again with this version"
        )
    expected = content_hash(manifest)
    if manifest.bundle_id != expected or canonical_json(manifest) != head:
        raise BundleError(
            f"{folder / MANIFEST} was changed: its content has the id {expected}, it names {manifest.bundle_id}; {COPY}"
        )
    _check_files(manifest, folder)
    if use is not None:
        _check_use(manifest, use, folder)
    bundle = _parsed(manifest, signed_by, _verified(manifest, folder), folder)
    _check_parts(bundle, folder)
    return bundle


def _verified(manifest: Manifest, folder: Path) -> dict[str, bytes]:
    """Every listed file's bytes, once all their hashes were found right and no other file is there."""
    listed = {entry.name for entry in manifest.files}
    present = {path.name for path in folder.iterdir()} - {MANIFEST, SIGNATURE}
    for name in sorted(present - listed):
        raise BundleError(f"{folder / name} is not in the manifest; remove it: a bundle holds what was signed only")
    contents = {}
    for entry in manifest.files:
        path = folder / entry.name
        if path.is_symlink() or not path.is_file():
            raise BundleError(f"{path} is in the manifest but missing, or no ordinary file; {COPY}")
        data = _read(path)
        found = _sha256(data)
        if found != entry.sha256 or len(data) != entry.size:
            raise BundleError(
                f"{path} was changed: expected {entry.size} bytes with SHA-256 {entry.sha256}, found {len(data)} with "
                f"{found}; {COPY}"
            )
        contents[entry.name] = data
    return contents


def _check_use(manifest: Manifest, use: Use, folder: Path) -> None:
    if manifest.feature_schema != use.feature_schema:
        raise BundleError(
            f"{folder} was trained on the feature schema {manifest.feature_schema}, this version computes "
            f"{use.feature_schema}; train a bundle with this version"
        )
    if use.instrument not in manifest.instruments:
        raise BundleError(
            f"{folder} is for {', '.join(manifest.instruments)}, wanted for {use.instrument}; train or name a bundle "
            "for that instrument"
        )
    if use.timeframe not in manifest.timeframes:
        raise BundleError(
            f"{folder} is for decisions at {', '.join(manifest.timeframes)}, wanted at {use.timeframe}; set "
            "structure.decision_timeframe to one of these, or train a bundle for it"
        )


def _check_files(manifest: Manifest, where: Path) -> None:
    names = [entry.name for entry in manifest.files]
    for name in names:
        if Path(name).name != name or Path(name).suffix not in SUFFIXES or name in (MANIFEST, SIGNATURE):
            raise BundleError(
                f"{where}: {name!r} can't be a file of a bundle; it holds plain ONNX, JSON, MD, HTML files"
            )
    wanted = {*REQUIRED, *(expert.file for expert in manifest.experts)}
    missing = sorted(wanted - set(names))
    if missing:
        raise BundleError(f"{where} lacks {', '.join(missing)} in its manifest; train the bundle again")
    if len(set(names)) < len(names) or not manifest.experts:
        raise BundleError(f"{where} names a file twice, or no expert at all; train the bundle again")


def _parsed(manifest: Manifest, signed_by: str, contents: Mapping[str, bytes], where: Path) -> Bundle:
    return Bundle(
        manifest=manifest,
        signed_by=signed_by,
        calibrators=_parse(contents[CALIBRATORS], dict[str, Calibrator], where / CALIBRATORS),
        ensemble=_parse(contents[ENSEMBLE], EnsembleParameters, where / ENSEMBLE),
        normaliser=_parse(contents[NORMALISER], Normaliser, where / NORMALISER),
        drift=_parse(contents[DRIFT], DriftReference, where / DRIFT),
        contents=dict(contents),
    )


def _check_parts(bundle: Bundle, where: Path) -> None:
    """The parts must speak of the same experts and columns."""
    experts = [expert.name for expert in bundle.manifest.experts]
    for file, named in (
        (CALIBRATORS, set(bundle.calibrators)),
        (ENSEMBLE, set(bundle.ensemble.weights.weights)),
        (DRIFT, set(bundle.drift.losses)),
    ):
        if named != set(experts) or len(experts) != len(named):
            raise BundleError(
                f"{where / file} is about {', '.join(sorted(named)) or 'no expert'}, the manifest about "
                f"{', '.join(experts)}; train the bundle again"
            )
    stream, context = len(bundle.normaliser.stream.centre), len(bundle.normaliser.context.centre)
    columns, ours = len(bundle.drift.columns), (len(FEATURE_NAMES), len(CONTEXT_COLUMNS))
    fitting = (stream, context) == ours if bundle.manifest.feature_schema == FEATURE_SCHEMA else context > stream
    if stream != columns or not fitting:
        raise BundleError(
            f"{where}: {NORMALISER} scales {stream} stream and {context} context columns, {DRIFT} knows {columns}, "
            f"expected {ours[0]} and {ours[1]}; train the bundle again"
        )


def _parse(data: bytes, kind: type[Parsed], path: Path) -> Parsed:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BundleError(f"{path} can't be read: {error}; train the bundle again with this version") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} can't be read ({error.strerror}); {COPY}") from error


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
