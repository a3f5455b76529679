"""Ed25519 signatures over a bundle's manifest, and the folder of public keys that are trusted.

The private key stays with whoever trains; its file is readable by its owner only. The public key, a small JSON file,
goes into the trust folder of each agent that may load what was signed with it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from smc_trading_agent.domain.errors import BundleError

ALGORITHM = "ed25519"
PUBLIC_SUFFIX = ".pub.json"


class Signature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file ``signature.json``: base64 of an Ed25519 signature over the bytes of ``manifest.json``."""

    algorithm: str
    key_id: str
    signature: str


class PublicKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A trusted key as kept in the trust folder; ``public_key`` is base64 of its 32 bytes."""

    algorithm: str
    key_id: str
    public_key: str


def create_key(private_file: Path, trust_folder: Path) -> str:
    """Makes a key pair and returns its id; the private file gets mode 0600, the public key joins the trust folder.

    Raises `BundleError` where the private file exists: a key is never overwritten.
    """
    key = Ed25519PrivateKey.generate()
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    private_file.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(private_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise BundleError(f"{private_file} exists and is not overwritten; name another file for the new key") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(secret)
    raw = _raw(key.public_key())
    identity = key_id(raw)
    trust_folder.mkdir(parents=True, exist_ok=True)
    public = PublicKey(ALGORITHM, identity, base64.b64encode(raw).decode())
    (trust_folder / f"{identity}{PUBLIC_SUFFIX}").write_bytes(canonical_json(public))
    return identity


def load_private_key(file: Path) -> Ed25519PrivateKey:
    """Reads a private key; `BundleError` where it is missing, no Ed25519 key, or readable by others."""
    try:
        mode, data = file.stat().st_mode, file.read_bytes()
    except OSError as error:
        raise BundleError(f"the private key {file} can't be read ({error.strerror}); make one first") from error
    if mode & 0o077:
        raise BundleError(f"the private key {file} has mode {mode & 0o777:04o}, expected 0600; run chmod 600 on it")
    try:
        key = serialization.load_pem_private_key(data, password=None)
    except (ValueError, TypeError) as error:
        raise BundleError(f"{file} holds no private key that can be read: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise BundleError(f"{file} holds a {type(key).__name__}, expected an Ed25519 private key; make one first")
    return key


def load_trusted_keys(folder: Path) -> dict[str, Ed25519PublicKey]:
    """Public keys by id; empty where the folder is missing. `BundleError` on a file that is no key."""
    return dict(_read_public(file) for file in sorted(folder.glob(f"*{PUBLIC_SUFFIX}")))


def sign(manifest: bytes, key: Ed25519PrivateKey) -> bytes:
    """The content of ``signature.json`` for these bytes."""
    text = base64.b64encode(key.sign(manifest)).decode()
    return canonical_json(Signature(ALGORITHM, key_id(_raw(key.public_key())), text))


def check_signature(
    signature: bytes | None,
    manifest: bytes,
    trusted: Mapping[str, Ed25519PublicKey],
    allow_unsigned: bool,
    where: Path,
) -> str:
    """Id of the trusted key that signed ``manifest``, empty where none did and that is allowed.

    Raises `BundleError`: no signature or an untrusted key unless ``allow_unsigned``; a broken signature always.
    """
    if signature is None:
        if allow_unsigned:
            return ""
        raise BundleError(
            f"{where} is not signed; sign it with a trusted key, or set decision.models.allow_unsigned to true"
        )
    try:
        found = msgspec.json.decode(signature, type=Signature)
        raw = base64.b64decode(found.signature, validate=True)
    except (msgspec.MsgspecError, binascii.Error) as error:
        raise BundleError(f"{where}/signature.json can't be read: {error}; copy the bundle again") from error
    if canonical_json(found) != signature or found.algorithm != ALGORITHM:
        raise BundleError(f"{where}/signature.json is not as it was written; copy the bundle again")
    key = trusted.get(found.key_id)
    if key is None:
        if allow_unsigned:
            return ""
        known = ", ".join(trusted) or "none"
        raise BundleError(
            f"{where} is signed by key {found.key_id}, trusted are: {known}; add the signer's public key to "
            "decision.models.trust_folder if you trust it"
        )
    try:
        key.verify(raw, manifest)
    except InvalidSignature as error:
        raise BundleError(
            f"{where}/manifest.json does not match its signature by key {found.key_id}: one of the two was changed "
            "after signing; copy the bundle again"
        ) from error
    return found.key_id


def key_id(public_key: bytes) -> str:
    """First 16 hex digits of the SHA-256 over the 32 bytes of a public key."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def canonical_json(value: object) -> bytes:
    """The one way in which files of a bundle are written: keys in order, indented by one, a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(value, order="deterministic"), indent=1) + b"\n"


def _read_public(file: Path) -> tuple[str, Ed25519PublicKey]:
    try:
        found = msgspec.json.decode(file.read_bytes(), type=PublicKey)
        raw = base64.b64decode(found.public_key, validate=True)
        key = Ed25519PublicKey.from_public_bytes(raw)
    except (OSError, ValueError, binascii.Error) as error:
        raise BundleError(f"{file} is no public key: {error}; remove it from the trust folder") from error
    if found.algorithm != ALGORITHM or key_id(raw) != found.key_id:
        raise BundleError(f"{file} names key {found.key_id}, its content is key {key_id(raw)}; remove it")
    return found.key_id, key


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
