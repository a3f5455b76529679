"""A folder of bundles, one of which may be promoted: what is there, what it is worth, and which one the agent loads."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from smc_trading_agent.decision_engine.ensemble.bundle import Bundle, Use, load_bundle, read_manifest
from smc_trading_agent.decision_engine.ensemble.manifest import FINDINGS, MANIFEST, Manifest
from smc_trading_agent.decision_engine.ensemble.signing import load_trusted_keys
from smc_trading_agent.domain.clock import Clock
from smc_trading_agent.domain.errors import BundleError, GateClosed
from smc_trading_agent.domain.settings import ModelSettings
from smc_trading_agent.runtime.promotions import Promotion, append, only_writer, read_history, stack_of

PROMOTED = "promoted"
"""What `decision.models.bundle` says to load whichever bundle is promoted."""


class Condition(msgspec.Struct, frozen=True):
    """One condition for going live, as training found it."""

    condition: str
    found: str
    limit: str
    passed: bool


class Judgement(msgspec.Struct, frozen=True):
    """What this room reads of ``findings.json``: when it was made (ns), and the gate."""

    made_at: int
    gate: tuple[Condition, ...]

    @property
    def open(self) -> bool:
        """Whether every condition holds; a gate without conditions is closed."""
        return bool(self.gate) and all(line.passed for line in self.gate)


class Listed(msgspec.Struct, frozen=True):
    """A bundle of the folder. ``problem`` says why it would be refused, empty where it would be loaded."""

    bundle: str
    manifest: Manifest | None
    judgement: Judgement | None
    signed_by: str
    promoted: bool
    problem: str


class ModelRegistry:
    """Reads a folder of bundles and its history of promotions; every bundle is verified before anything is said."""

    def __init__(self, folder: Path, trusted: Mapping[str, Ed25519PublicKey], allow_unsigned: bool) -> None:
        self.folder = folder
        self._trusted = trusted
        self._allow_unsigned = allow_unsigned

    def history(self) -> list[Promotion]:
        """All promotions and rollbacks, in order."""
        return read_history(self.folder)

    def promoted(self) -> str:
        """Id of the promoted bundle, empty where there is none."""
        history = self.history()
        return history[-1].bundle if history else ""

    def find(self, wanted: str) -> str:
        """The id of a bundle from its beginning, or from the word `promoted`; `BundleError` where that is not one."""
        if wanted == PROMOTED:
            return self._promoted_or_refused()
        fitting = [name for name in self._names() if name.startswith(wanted)]
        if wanted in fitting:
            return wanted
        if not wanted or len(fitting) != 1:
            found = "none" if not fitting else f"{len(fitting)}, {', '.join(fitting)}"
            raise BundleError(
                f"{wanted!r} names no single bundle in {self.folder}: {found} begin so; see smc-agent models list"
            )
        return fitting[0]

    def load(self, bundle_id: str, use: Use | None = None) -> Bundle:
        """The verified bundle in the folder of that name; `BundleError` where it isn't what the name says."""
        bundle = load_bundle(self.folder / bundle_id, use, self._trusted, self._allow_unsigned)
        if bundle.bundle_id != bundle_id:
            raise BundleError(
                f"{self.folder / bundle_id} holds bundle {bundle.bundle_id}; give the folder that name, or copy the "
                "bundle again"
            )
        return bundle

    def load_promoted(self, use: Use) -> Bundle:
        """The promoted bundle, verified for ``use``; `BundleError` where none is promoted."""
        return self.load(self._promoted_or_refused(), use)

    def checked(self, bundle_id: str) -> Bundle:
        """The bundle, verified, and found to be for the feature schema that this version computes."""
        manifest = read_manifest(self.folder / bundle_id)
        if not manifest.instruments or not manifest.timeframes:
            raise BundleError(f"{self.folder / bundle_id} is for no instrument or timeframe; train the bundle again")
        return self.load(bundle_id, Use(manifest.instruments[0], manifest.timeframes[0]))

    def bundles(self) -> list[Listed]:
        """Every bundle of the folder by name, with what would be said of it on loading."""
        promoted = self.promoted()
        return [self._listed(name, promoted) for name in self._names()]

    def promote(self, bundle_id: str, clock: Clock, despite_gate: str = "") -> Promotion | None:
        """Makes a bundle the promoted one; None, and nothing written, where it is that already.

        Raises `BundleError` where it fails a check, `GateClosed` where its gate is closed and no reason is given to
        promote it all the same.
        """
        bundle = self.checked(bundle_id)
        judged = judgement_of(bundle)
        is_open = judged is not None and judged.open
        if not is_open and not despite_gate.strip():
            raise GateClosed(
                f"{bundle_id} is not promoted: {failed_conditions(judged)}; train a better one, or give a reason with "
                "--despite-gate, which is recorded"
            )
        reason = "" if is_open else despite_gate.strip()

        with only_writer(self.folder):
            history = self.history()
            before = history[-1].bundle if history else ""
            if before == bundle_id:
                return None
            number = len(history) + 1
            promotion = Promotion(number, clock.now(), "promote", bundle_id, before, bundle.signed_by, reason)
            append(self.folder, promotion)
        return promotion

    def rollback(self, clock: Clock) -> Promotion:
        """Goes back to the bundle that was promoted before; it is verified first.

        Raises `BundleError` where there is none, or it would not be loaded.
        """

        with only_writer(self.folder):
            history = self.history()
            stack = stack_of(history)
            if len(stack) < 2:
                now = f"only {stack[0]} was ever promoted" if stack else "no bundle was ever promoted"
                raise BundleError(f"{self.folder} has nothing to go back to: {now}; promote another bundle instead")
            signed_by = self.checked(stack[-2]).signed_by
            promotion = Promotion(len(history) + 1, clock.now(), "rollback", stack[-2], stack[-1], signed_by)
            append(self.folder, promotion)
        return promotion

    def _promoted_or_refused(self) -> str:
        bundle_id = self.promoted()
        if not bundle_id:
            raise BundleError(f"no bundle in {self.folder} is promoted; run smc-agent models promote ID")
        return bundle_id

    def _names(self) -> list[str]:
        if not self.folder.is_dir():
            raise BundleError(
                f"{self.folder} is no folder of bundles; name one with decision.models.folder or --folder"
            )
        return sorted(path.name for path in self.folder.iterdir() if (path / MANIFEST).is_file())

    def _listed(self, name: str, promoted: str) -> Listed:
        try:
            bundle = self.checked(name)
            return Listed(name, bundle.manifest, judgement_of(bundle), bundle.signed_by, name == promoted, "")
        except BundleError as error:
            return Listed(name, None, None, "", name == promoted, str(error))


def registry_of(models: ModelSettings) -> ModelRegistry:
    """The registry that the settings name."""
    return ModelRegistry(Path(models.folder), load_trusted_keys(Path(models.trust_folder)), models.allow_unsigned)


def judgement_of(bundle: Bundle) -> Judgement | None:
    """What training found of a verified bundle, None where the bundle has no findings; `BundleError` on others."""
    data = bundle.contents.get(FINDINGS)
    if data is None:
        return None
    try:
        return msgspec.json.decode(data, type=Judgement)
    except msgspec.MsgspecError as error:
        raise BundleError(f"{FINDINGS} of {bundle.bundle_id} can't be read: {error}; train the bundle again") from error


def failed_conditions(judgement: Judgement | None) -> str:
    """Why the gate is closed."""
    if judgement is None:
        return f"it has no {FINDINGS}, so nothing is known of its gate"
    failed = [f"{line.condition} is {line.found}, wanted {line.limit}" for line in judgement.gate if not line.passed]
    return "; ".join(failed) or "no condition of its gate was checked"
