"""Bundles: what was written is read back, and anything else is refused with a sentence of its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from smc_trading_agent.decision_engine.ensemble.bundle import Bundle, Use, load_bundle, read_manifest, write_bundle
from smc_trading_agent.decision_engine.ensemble.manifest import (
    CALIBRATORS,
    DRIFT,
    ENSEMBLE,
    MANIFEST,
    NORMALISER,
    SIGNATURE,
    ExpertEntry,
    sealed,
)
from smc_trading_agent.decision_engine.ensemble.signing import (
    PUBLIC_SUFFIX,
    canonical_json,
    create_key,
    load_private_key,
    load_trusted_keys,
)
from smc_trading_agent.domain.errors import BundleError
from tests import bundles

USE = Use("test:BTCUSDT", "15m")


class Signer:
    """A key pair with its trust folder."""

    def __init__(self, folder: Path) -> None:
        self.private, self.trust = folder / "signing.pem", folder / "trust"
        self.key_id = create_key(self.private, self.trust)

    @property
    def key(self) -> Ed25519PrivateKey:
        return load_private_key(self.private)

    def load(self, folder: Path, use: Use | None = USE) -> Bundle:
        return load_bundle(folder, use, load_trusted_keys(self.trust))


@pytest.fixture(name="signer", scope="module")
def make_signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return Signer(tmp_path_factory.mktemp("keys"))


@pytest.fixture(name="signed", scope="module")
def make_signed(tmp_path_factory: pytest.TempPathFactory, signer: Signer) -> Path:
    return bundles.written(tmp_path_factory.mktemp("bundles"), signer.key)


@pytest.fixture(name="copy")
def make_copy(tmp_path: Path, signed: Path) -> Path:
    return Path(shutil.copytree(signed, tmp_path / signed.name))


def resealed(folder: Path, **changes: object) -> None:
    """Changes the manifest and gives it the id that fits, as someone who knows the format could."""
    changed = msgspec.structs.replace(read_manifest(folder), **changes)
    (folder / MANIFEST).write_bytes(canonical_json(sealed(changed)))


def test_a_bundle_is_read_as_it_was_written(signer: Signer, signed: Path) -> None:
    bundle = signer.load(signed)
    assert bundle.bundle_id == signed.name
    assert bundle.signed_by == signer.key_id
    assert bundle.contents == bundles.contents()
    assert bundle.ensemble == bundles.parameters()
    assert list(signed.parent.iterdir()) == [signed]


def test_the_same_content_has_the_same_id_wherever_it_is_written(tmp_path: Path, signed: Path, signer: Signer) -> None:
    unsigned = bundles.written(tmp_path)
    assert unsigned.name == signed.name
    assert not (unsigned / SIGNATURE).exists()
    assert bundles.written(tmp_path, signer.key) == unsigned
    assert signer.load(unsigned).signed_by == signer.key_id
    assert bundles.written(tmp_path, verdict="another verdict").name != signed.name


def test_a_flipped_byte_anywhere_is_refused(signer: Signer, signed: Path, copy: Path) -> None:
    for file in sorted(signed.iterdir()):
        data = file.read_bytes()
        for position in sorted({*range(0, len(data), max(1, len(data) // 40)), len(data) - 1}):
            changed = bytearray(data)
            changed[position] ^= 1
            (copy / file.name).write_bytes(changed)
            with pytest.raises(BundleError) as refused:
                signer.load(copy)
            assert str(copy) in str(refused.value)
        (copy / file.name).write_bytes(data)
    assert signer.load(copy).bundle_id == signed.name


def test_a_flipped_byte_is_refused_in_an_unsigned_bundle_too(tmp_path: Path) -> None:
    folder = bundles.written(tmp_path)
    for name in (MANIFEST, ENSEMBLE, "lstm.onnx"):
        data = (folder / name).read_bytes()
        for position in range(0, len(data), max(1, len(data) // 40)):
            (folder / name).write_bytes(data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :])
            with pytest.raises(BundleError):
                load_bundle(folder, USE, allow_unsigned=True)
        (folder / name).write_bytes(data)


def test_a_changed_file_is_named_with_what_was_expected_and_found(signer: Signer, copy: Path) -> None:
    data = (copy / "lstm.onnx").read_bytes()
    (copy / "lstm.onnx").write_bytes(data + b"\0")
    with pytest.raises(
        BundleError, match=f"lstm.onnx was changed: expected {len(data)} bytes .* found {len(data) + 1}"
    ):
        signer.load(copy)


def test_a_missing_model_is_refused(signer: Signer, copy: Path) -> None:
    (copy / "transformer.onnx").unlink()
    with pytest.raises(BundleError, match="transformer.onnx is in the manifest but missing"):
        signer.load(copy)


def test_a_link_in_place_of_a_file_is_refused(signer: Signer, copy: Path, signed: Path) -> None:
    (copy / "lstm.onnx").unlink()
    (copy / "lstm.onnx").symlink_to(signed / "lstm.onnx")
    with pytest.raises(BundleError, match="no ordinary file"):
        signer.load(copy)


def test_an_extra_file_is_refused(signer: Signer, copy: Path) -> None:
    (copy / "helper.py").write_text("print()", encoding="utf-8")
    with pytest.raises(BundleError, match="helper.py is not in the manifest; remove it"):
        signer.load(copy)


def test_another_schema_instrument_or_timeframe_is_refused(signer: Signer, signed: Path) -> None:
    with pytest.raises(BundleError, match="feature schema .* this version computes 0123"):
        signer.load(signed, Use("test:BTCUSDT", "15m", "0123"))
    with pytest.raises(BundleError, match="is for test:BTCUSDT, wanted for test:ETHUSDT"):
        signer.load(signed, Use("test:ETHUSDT", "15m"))
    with pytest.raises(BundleError, match="decisions at 15m, wanted at 1h"):
        signer.load(signed, Use("test:BTCUSDT", "1h"))
    assert signer.load(signed, None).bundle_id == signed.name


def test_an_unsigned_bundle_needs_permission(tmp_path: Path) -> None:
    folder = bundles.written(tmp_path)
    with pytest.raises(BundleError, match="is not signed; .*allow_unsigned"):
        load_bundle(folder, USE)
    assert load_bundle(folder, USE, allow_unsigned=True).signed_by == ""


def test_a_key_nobody_trusts_is_refused(signer: Signer, signed: Path, tmp_path: Path) -> None:
    stranger = Signer(tmp_path / "stranger")
    with pytest.raises(BundleError, match=f"signed by key {signer.key_id}, trusted are: {stranger.key_id}"):
        stranger.load(signed)
    with pytest.raises(BundleError, match="trusted are: none"):
        load_bundle(signed, USE)
    assert load_bundle(signed, USE, allow_unsigned=True).signed_by == ""


def test_a_manifest_sealed_again_does_not_match_its_signature(signer: Signer, copy: Path) -> None:
    resealed(copy, instruments=("test:BTCUSDT", "test:ETHUSDT"))
    with pytest.raises(BundleError, match="does not match its signature"):
        load_bundle(copy, USE, load_trusted_keys(signer.trust), allow_unsigned=True)


def test_a_manifest_whose_id_is_not_its_own_is_refused(tmp_path: Path) -> None:
    folder = bundles.written(tmp_path)
    honest = read_manifest(folder)
    (folder / MANIFEST).write_bytes(canonical_json(msgspec.structs.replace(honest, verdict="excellent")))
    with pytest.raises(BundleError, match=f"was changed: its content has the id .* it names {honest.bundle_id}"):
        load_bundle(folder, USE, allow_unsigned=True)


def test_a_newer_layout_is_refused(tmp_path: Path) -> None:
    folder = bundles.written(tmp_path)
    resealed(folder, schema_version=99)
    with pytest.raises(BundleError, match="schema version 99, expected 1"):
        load_bundle(folder, USE, allow_unsigned=True)


def test_a_folder_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="there is no such folder"):
        load_bundle(tmp_path / "nothing", USE)
    (tmp_path / "empty").mkdir()
    with pytest.raises(BundleError, match="manifest.json can't be read"):
        load_bundle(tmp_path / "empty", USE)


@pytest.mark.parametrize("name", ["../escape.json", "model.pkl", "a/b.json", SIGNATURE, "noend"])
def test_files_that_do_not_belong_in_a_bundle_are_not_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleError, match="can't be a file of a bundle"):
        bundles.written(tmp_path, files={name: b"{}"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({CALIBRATORS: b"{}"}, "calibrators.json is about no expert, the manifest about"),
        ({ENSEMBLE: bundles.encoded(bundles.parameters(("logistic",)))}, "ensemble.json is about logistic"),
        ({DRIFT: bundles.encoded(bundles.drift(("lstm", "ppo")))}, "drift.json is about lstm, ppo"),
        ({NORMALISER: b"{"}, "normaliser.json can't be read"),
        ({DRIFT: bundles.encoded(bundles.drift(columns=()))}, "drift.json knows 0"),
    ],
)
def test_parts_that_do_not_fit_together_are_not_written(tmp_path: Path, files: dict[str, bytes], sentence: str) -> None:
    with pytest.raises(BundleError, match=sentence):
        bundles.written(tmp_path, files=files)
    assert list(tmp_path.iterdir()) == []


def test_an_expert_without_its_file_is_not_written(tmp_path: Path) -> None:
    made = bundles.manifest(experts=("logistic",))
    named = msgspec.structs.replace(made, experts=(*made.experts, ExpertEntry("gru", "stream", "gru.onnx")))
    with pytest.raises(BundleError, match="lacks gru.onnx"):
        write_bundle(tmp_path, named, bundles.contents(("logistic",)))


def test_what_a_crash_left_half_written_is_no_bundle_and_no_hindrance(tmp_path: Path) -> None:
    partial = tmp_path / f".{bundles.written(tmp_path / 'other').name}.partial"
    partial.mkdir()
    (partial / "lstm.onnx").write_bytes(b"half")
    folder = bundles.written(tmp_path)
    assert load_bundle(folder, USE, allow_unsigned=True)
    assert not partial.exists()


def test_a_private_key_is_for_its_owner_only_and_never_overwritten(tmp_path: Path) -> None:
    signer = Signer(tmp_path)
    assert signer.private.stat().st_mode & 0o777 == 0o600
    with pytest.raises(BundleError, match="exists and is not overwritten"):
        create_key(signer.private, signer.trust)
    signer.private.chmod(0o640)
    with pytest.raises(BundleError, match="mode 0640, expected 0600"):
        load_private_key(signer.private)


def test_files_that_are_no_keys_are_refused(tmp_path: Path) -> None:
    signer = Signer(tmp_path)
    with pytest.raises(BundleError, match="make one first"):
        load_private_key(tmp_path / "absent.pem")
    wrong = tmp_path / "wrong.pem"
    wrong.write_bytes(b"no key")
    wrong.chmod(0o600)
    with pytest.raises(BundleError, match="holds no private key"):
        load_private_key(wrong)
    (signer.trust / f"noise{PUBLIC_SUFFIX}").write_bytes(b"{}")
    with pytest.raises(BundleError, match="is no public key"):
        load_trusted_keys(signer.trust)
    (signer.trust / f"noise{PUBLIC_SUFFIX}").unlink()
    file = signer.trust / f"{signer.key_id}{PUBLIC_SUFFIX}"
    file.write_bytes(file.read_bytes().replace(signer.key_id.encode(), b"0" * 16))
    with pytest.raises(BundleError, match="names key 0000000000000000, its content is key"):
        load_trusted_keys(signer.trust)


def test_without_a_trust_folder_nobody_is_trusted(tmp_path: Path) -> None:
    assert load_trusted_keys(tmp_path / "nowhere") == {}
