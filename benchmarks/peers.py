"""The libraries that ours is measured beside."""

from __future__ import annotations

import importlib
from contextlib import redirect_stdout
from importlib.metadata import version
from io import StringIO
from typing import Any


class PeerMissing(RuntimeError):
    """A library to compare with isn't installed."""


class Unequal(RuntimeError):
    """Two readings that should be the same are not: their speeds must not be compared."""


def peer(module: str) -> Any:
    """The module, whose banners, printed on import, are kept from the output; `PeerMissing` says how to install it."""
    try:
        with redirect_stdout(StringIO()):
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        remedy = "run `make bench`, which installs benchmarks/requirements.txt"
        raise PeerMissing(f"{error.name} is not installed; {remedy}") from error


def titled(distribution: str) -> str:
    """Its name and version."""
    return f"{distribution} {version(distribution)}"


def library() -> Any:
    """The class of functions of smartmoneyconcepts."""
    return peer("smartmoneyconcepts").smc
