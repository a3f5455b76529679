"""Real processes of the agent: started, waited for on conditions, killed."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
PATIENCE_S = 60.0


def wait_until(holds: Callable[[], bool], process: subprocess.Popen[bytes] | None = None) -> None:
    """Polls until ``holds``; fails after a minute, or when the process ends first."""
    pause = threading.Event()
    for _ in range(int(PATIENCE_S / 0.02)):
        if holds():
            return
        if process is not None and process.poll() is not None:
            out, err = process.communicate()
            raise AssertionError(f"the process ended with {process.returncode}: {out.decode()} {err.decode()}")
        pause.wait(0.02)
    raise AssertionError("the condition did not come to hold within a minute")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def smc_agent(*arguments: str, **environment: str) -> subprocess.Popen[bytes]:
    """`smc-agent` as a process of its own, with this interpreter."""
    code = "from smc_trading_agent.cli import main; main()"
    return start([sys.executable, "-c", code, *arguments], **environment)


def start(command: list[str], **environment: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command, cwd=REPOSITORY, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def finish(process: subprocess.Popen[bytes], code: int = 0) -> dict[str, Any]:
    """Waits for the end, and gives the one JSON object that was printed."""
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code, (process.returncode, out.decode(), err.decode())
    return dict(json.loads(out)) if out.strip().startswith(b"{") else {}


def facts_in(state: Path) -> int:
    """Facts that have reached the journal below a state folder; 0 while there is none."""
    for file in state.glob("*/journal.db"):
        try:
            with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
                return int(connection.execute("SELECT coalesce(max(seq), 0) FROM fact").fetchone()[0])
        except sqlite3.OperationalError:
            return 0
    return 0


def get(url: str, method: str = "GET", **headers: str) -> tuple[int, Any]:
    """Status and JSON body; (0, None) while nothing answers."""
    request = urllib.request.Request(url, method=method, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())
    except OSError:
        return 0, None
