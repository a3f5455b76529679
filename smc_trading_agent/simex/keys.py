"""Who may ask: API keys with HMAC or Ed25519 signatures, the receive window, and listen keys."""

from __future__ import annotations

import base64
import hashlib
import hmac
import urllib.parse
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.simex.endpoints import Params
from smc_trading_agent.simex.refusals import Refusal, missing

DEFAULT_WINDOW_MS = 5_000
MAX_WINDOW_MS = 60_000
AHEAD_MS = 1_000
LISTEN_KEY_MS = 3_600_000


def derived(seed: int, *what: str) -> str:
    """64 hex digits that a seed stands for: keys of a simulated account need to be repeatable, not secret."""
    return hashlib.sha256(":".join(("simex", str(seed), *what)).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key of an account: with a shared secret (HMAC SHA-256), or a public key (Ed25519)."""

    key: str
    account: str
    secret: str = ""
    public: Ed25519PublicKey | None = None

    def signed(self, payload: str, signature: str) -> bool:
        """Whether the signature fits the payload."""
        if self.public is None:
            right = hmac.new(self.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
            return hmac.compare_digest(right, signature.lower())
        try:
            self.public.verify(base64.b64decode(signature, validate=True), payload.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


def public_key(pem: str) -> Ed25519PublicKey:
    """An Ed25519 public key from PEM text; `ConfigError` for anything else."""
    try:
        key = load_pem_public_key(pem.encode())
    except ValueError as error:
        raise ConfigError(f"no public key can be read: {error}; give an Ed25519 public key as PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError("the public key is not Ed25519; give an Ed25519 public key as PEM")
    return key


class KeyRing:
    """The keys that the venue knows."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}

    def add(self, key: ApiKey) -> None:
        """Makes a key known."""
        self._keys[key.key] = key

    def find(self, key: str | None) -> ApiKey:
        """The key that a request names."""
        if not key:
            raise Refusal(-2014, "API-key format invalid.", 401)
        found = self._keys.get(key)
        if found is None:
            raise Refusal(-2015, "Invalid API-key, IP, or permissions for action.", 401)
        return found

    def check_signature(self, key: ApiKey, payload: str, signature: str | None) -> None:
        """Refuses a payload whose signature is missing or does not fit."""
        if not signature:
            raise missing("signature")
        if not key.signed(payload, signature):
            raise Refusal(-1022, "Signature for this request is not valid.")


def unsigned(text: str) -> str:
    """A query or form without its signature: the part that was signed."""
    return "&".join(part for part in text.split("&") if part and not part.startswith("signature="))


def parameters(*texts: str) -> dict[str, str]:
    """Parameters of queries and forms; of those sent twice, the first counts."""
    values: dict[str, str] = {}
    for text in texts:
        for name, value in urllib.parse.parse_qsl(text, keep_blank_values=True):
            values.setdefault(name, value)
    return values


def check_window(params: Params, now_ms: int) -> None:
    """Refuses a request that is older than its receive window, or from more than a second ahead."""
    timestamp = params.need_integer("timestamp")
    window = params.integer("recvWindow")
    if window is not None and window > MAX_WINDOW_MS:
        raise Refusal(-1131, f"recvWindow must be less than {MAX_WINDOW_MS}")
    if timestamp >= now_ms + AHEAD_MS:
        raise Refusal(-1021, f"Timestamp for this request was {AHEAD_MS}ms ahead of the server's time.")
    if now_ms - timestamp > (DEFAULT_WINDOW_MS if window is None else window):
        raise Refusal(-1021, "Timestamp for this request is outside of the recvWindow.")


class ListenKeys:
    """One listen key an account, good for an hour from its last renewal."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._made = 0
        self._keys: dict[str, tuple[str, int]] = {}

    def create(self, account: str, now_ms: int) -> str:
        """The account's key, made when there is none; good for an hour from now."""
        key = self._live(account, now_ms)
        if key is None:
            self._made += 1
            key = derived(self._seed, "listen", account, str(self._made))
        self._keys[account] = (key, now_ms + LISTEN_KEY_MS)
        return key

    def renew(self, account: str, now_ms: int) -> str:
        """Renews the account's key; refused when it has none."""
        if self._live(account, now_ms) is None:
            raise Refusal(-1125, "This listenKey does not exist.")
        return self.create(account, now_ms)

    def close(self, account: str) -> None:
        """Forgets the account's key."""
        self._keys.pop(account, None)

    def account_of(self, key: str, now_ms: int) -> str | None:
        """Whose live key this is."""
        for account in self._keys:
            if self._live(account, now_ms) == key:
                return account
        return None

    def key_of(self, account: str, now_ms: int) -> str | None:
        """The account's live key."""
        return self._live(account, now_ms)

    def expired(self, now_ms: int) -> list[tuple[str, str]]:
        """Forgets the keys whose hour is over; (account, key) of each."""
        over = [(account, key) for account, (key, until) in self._keys.items() if now_ms >= until]
        for account, _ in over:
            del self._keys[account]
        return over

    def forget(self) -> None:
        """Forgets all keys, as a restart does."""
        self._keys.clear()

    def expire_now(self) -> None:
        """Lets every key's hour end at once."""
        self._keys = {account: (key, 0) for account, (key, _) in self._keys.items()}

    def _live(self, account: str, now_ms: int) -> str | None:
        key, until = self._keys.get(account, ("", 0))
        return key if key and now_ms < until else None
