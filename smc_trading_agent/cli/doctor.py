"""`smc-agent doctor`: is this machine, this installation and this state fit to trade on paper."""

from __future__ import annotations

import os
import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import typer
from rich.table import Table

from smc_trading_agent._core import build_info
from smc_trading_agent.api.app import PAGE_DIR
from smc_trading_agent.cli.options import AsJson, ConfigFile, StateRoot, errors_as_exit_codes, settings_for
from smc_trading_agent.cli.output import CHECK_FAILED, OK, emit, results
from smc_trading_agent.domain.errors import AgentError, ConfigError
from smc_trading_agent.domain.settings import Settings
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.runtime.explanation import journals_under

LEAST_FREE_BYTES = 1_000_000_000


class Finding(msgspec.Struct, frozen=True):
    """One check: what was found, and what to do where it is not good."""

    name: str
    good: bool
    found: str
    remedy: str = ""


def doctor(config: ConfigFile = None, state_dir: StateRoot = None, as_json: AsJson = False) -> None:
    """Check the machine, the installation, the settings and the kept state; non-zero where something is wrong."""
    with errors_as_exit_codes(as_json):
        override = None if state_dir is None else str(state_dir)
        try:
            settings = settings_for(config, None, None, {"app": {"state_dir": override}})
            findings = [Finding("settings", True, "all known, all in range")]
        except ConfigError as error:
            settings = Settings()
            findings = [Finding("settings", False, str(error), "correct the keys named")]
        findings += [check(settings) for check in CHECKS]
        findings += _journals(Path(settings.app.state_dir))
    good = all(finding.good for finding in findings)
    if as_json:
        emit({"healthy": good, "findings": msgspec.to_builtins(findings)}, True)
    else:
        _show(findings)
    raise typer.Exit(OK if good else CHECK_FAILED)


def _python(_: Settings) -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Finding("python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")


def _core(_: Settings) -> Finding:
    info = build_info()
    optimised = info.get("profile") == "release"
    found = ", ".join(f"{key} {value}" for key, value in sorted(info.items()))
    return Finding("rust core", optimised, found, "build it optimised: make setup")


def _page(_: Settings) -> Finding:
    built = (PAGE_DIR / "index.html").is_file()
    return Finding("page", built, "built" if built else "not built", "make setup")


def _disk(settings: Settings) -> Finding:
    folder = Path(settings.app.state_dir)
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(existing).free
    writable = os.access(existing, os.W_OK)
    found = f"{free / 1e9:.1f} GB free in {existing}" + ("" if writable else ", not writable")
    return Finding("state folder", writable and free >= LEAST_FREE_BYTES, found, "choose another --state-dir")


def _port(settings: Settings) -> Finding:
    with socket.socket() as probe:
        busy = probe.connect_ex((settings.app.host, settings.app.port)) == 0
    found = f"{settings.app.host}:{settings.app.port} " + (
        "answers already: an agent may be running" if busy else "free"
    )
    return Finding("api port", True, found)


CHECKS: tuple[Callable[[Settings], Finding], ...] = (_python, _core, _page, _disk, _port)


def _journals(root: Path) -> list[Finding]:
    findings = []
    for file in journals_under(root):
        try:
            with SqliteJournal(file) as journal:
                findings.append(
                    Finding(f"journal {file.parent.name}", True, f"{journal.verify_chain():,} facts, chain intact")
                )
        except AgentError as error:
            findings.append(Finding(f"journal {file.parent.name}", False, str(error), "see the message"))
    return findings


def _show(findings: list[Finding]) -> None:
    table = Table("check", "", "found")
    for finding in findings:
        found = finding.found if finding.good else f"{finding.found}\nremedy: {finding.remedy}"
        table.add_row(finding.name, "[green]ok[/]" if finding.good else "[bold red]bad[/]", found)
    results.print(table)
