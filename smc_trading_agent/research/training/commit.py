"""Which commit the code is of, read from the repository's files where there are any."""

from __future__ import annotations

from pathlib import Path

UNKNOWN = "unknown"


def commit_of(root: Path) -> str:
    """The commit that ``root`` has checked out, in hex; `UNKNOWN` where it is no working tree."""
    try:
        folder = _git_folder(root)
        head = (folder / "HEAD").read_text(encoding="ascii").strip()
        if not head.startswith("ref: "):
            return head
        return _resolved(folder, head.removeprefix("ref: "))
    except (OSError, UnicodeDecodeError):
        return UNKNOWN


def _git_folder(root: Path) -> Path:
    """``.git`` itself, or the folder that a linked working tree's file of that name points to."""
    found = root / ".git"
    if found.is_dir():
        return found
    return root / found.read_text(encoding="utf-8").strip().removeprefix("gitdir: ")


def _resolved(folder: Path, reference: str) -> str:
    common = folder / "commondir"
    shared = folder / common.read_text(encoding="utf-8").strip() if common.is_file() else folder
    for place in (folder, shared):
        if (place / reference).is_file():
            return (place / reference).read_text(encoding="ascii").strip()
    packed = (shared / "packed-refs").read_text(encoding="ascii").splitlines()
    return next((line.split(" ", 1)[0] for line in packed if line.endswith(f" {reference}")), UNKNOWN)
