"""What commands say and how they end: a JSON object or a table on stdout, errors on stderr, stable exit codes."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from smc_trading_agent.domain.errors import AgentError, DataError

OK = 0
CHECK_FAILED = 1
BAD_INPUT = 2
QUARANTINED = 3
STATE_CONFLICT = 4
INTERNAL = 5
INTERRUPTED = 130

EXIT_CODES: dict[int, str] = {
    OK: "done, and what was checked is in order",
    CHECK_FAILED: "done, and the check failed",
    BAD_INPUT: "a file, setting or argument can't be used",
    QUARANTINED: "done, and some rows of the data were quarantined",
    STATE_CONFLICT: "the state folder belongs to another process or another market",
    INTERNAL: "an error that should not happen",
    INTERRUPTED: "stopped by Ctrl-C; what was done is kept",
}
"""Meaning of each exit code."""

console = Console(stderr=True)
"""For progress, remarks and errors: standard output carries results only."""

results = Console()
"""For tables on standard output."""


def emit(payload: Mapping[str, object], as_json: bool) -> None:
    """Prints a result: as one JSON object on a line, or as a table of names and values."""
    if as_json:
        typer.echo(msgspec.json.encode(payload).decode())
        return
    table = Table(show_header=False)
    for name, value in payload.items():
        table.add_row(escape(name.replace("_", " ")), escape(_text(value)))
    results.print(table)


def fail(error: AgentError, as_json: bool, code: int) -> NoReturn:
    """Ends the command with ``code`` and the error's sentence, on stderr or as one JSON object on stdout."""
    if as_json:
        payload = {"error": type(error).__name__, "message": str(error), "exit_code": code}
        typer.echo(msgspec.json.encode(payload).decode())
    else:
        console.print(f"error: {error}", style="bold red", markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(code)


@contextmanager
def replaced_whole(out: Path) -> Iterator[Path]:
    """A temporary file beside ``out`` to write to, renamed to ``out`` once it is whole; `DataError` if it can't be.

    ``out`` is never half-written, and keeps what it had where the block raises.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{out.name}.", suffix=".tmp", dir=out.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            with temporary.open("rb+") as written:
                os.fsync(written.fileno())
            temporary.chmod(0o644)
            temporary.replace(out)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(f"{out} can't be written: {error.strerror or error}; choose another --out") from error


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.6g}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(item)}" for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return "\n".join(_text(item) for item in value)
    return str(value)
