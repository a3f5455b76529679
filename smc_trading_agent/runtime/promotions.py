"""Which bundle was promoted when: a file of JSON lines that only grows, written by one process at a time.

A line that a crash cut short was never confirmed to anyone: readers pass over it, and the next writer cuts it off.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from smc_trading_agent.domain.errors import BundleError

HISTORY, LOCK = "promotions.jsonl", ".promotions.lock"


class Promotion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line: which bundle is promoted from ``at`` (ns) on, and which was before (empty: none).

    ``despite_gate`` is the reason given where the gate was closed, empty where it was open.
    """

    number: int
    at: int
    action: Literal["promote", "rollback"]
    bundle: str
    previous: str
    signed_by: str
    despite_gate: str = ""


def read_history(folder: Path) -> list[Promotion]:
    """All promotions in order, none where the folder has no history; `BundleError` where a line is damaged."""
    file = folder / HISTORY
    try:
        data = file.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise BundleError(f"{file} can't be read ({error.strerror}); restore a copy of it") from error
    found: list[Promotion] = []
    for number, line in enumerate(data[: data.rfind(b"\n") + 1].splitlines(), start=1):
        try:
            promotion = msgspec.json.decode(line, type=Promotion)
        except msgspec.MsgspecError as error:
            raise BundleError(f"{file}, line {number}, can't be read: {error}; restore a copy of it") from error
        if promotion.number != number or not _follows(promotion, found):
            raise BundleError(
                f"{file}, line {number}, is number {promotion.number}, a {promotion.action} from "
                f"{promotion.previous or 'none'} to {promotion.bundle}, and does not follow from the lines before: one "
                "was taken out, put in or changed; restore a copy of the file"
            )
        found.append(promotion)
    return found


def stack_of(history: Sequence[Promotion]) -> list[str]:
    """Bundles promoted and not rolled back since, the promoted one last."""
    stack: list[str] = []
    for promotion in history:
        if promotion.action == "promote":
            stack.append(promotion.bundle)
        else:
            stack.pop()
    return stack


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Waits until no other process writes the history, and keeps others waiting meanwhile."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise BundleError(f"{folder} can't be written ({error.strerror}); name another with --folder") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def append(folder: Path, promotion: Promotion) -> None:
    """Adds a line and waits until it is on the disk; the caller is the `only_writer`."""
    file = folder / HISTORY
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o644)
        with os.fdopen(descriptor, "r+b") as history:
            kept = history.read().rfind(b"\n") + 1
            history.truncate(kept)
            history.seek(kept)
            history.write(msgspec.json.encode(promotion) + b"\n")
            history.flush()
            os.fsync(history.fileno())
        _sync_folder(folder)
    except OSError as error:
        raise BundleError(f"{file} can't be written ({error.strerror}); the promotion did not take place") from error


def _follows(promotion: Promotion, before: Sequence[Promotion]) -> bool:
    """Whether a line starts from where the one before left off, and a rollback goes to where it must."""
    if promotion.previous != (before[-1].bundle if before else ""):
        return False
    return promotion.action == "promote" or stack_of(before)[-2:-1] == [promotion.bundle]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
