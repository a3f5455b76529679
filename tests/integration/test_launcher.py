"""How the launcher ends: by TERM, at the end of a tape, on a port that is taken, on an account it can't resume."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes import facts_in, finish, free_port, get, smc_agent, start, wait_until

PORT = "--port"


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def run(state: Path, port: int, *more: str) -> list[str]:
    base = ["run", "--seed", "11", "--bars", "3000", "--state-dir", str(state), PORT, str(port), "--json"]
    return [*base, "--speed", "max", *more]


def test_term_stops_it_like_ctrl_c_and_the_account_is_kept(tmp_path: Path) -> None:
    port = free_port()
    process = start([sys.executable, "main_optimized.py"], SMC_STATE_DIR=str(tmp_path), SMC_PORT=str(port))
    wait_until(lambda: get(f"http://127.0.0.1:{port}/api/python/health")[0] == 200, process)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said.decode()
    assert "the account is kept in" in said.decode().replace("\n", " ")
    assert facts_in(tmp_path) > 0


def test_it_serves_until_the_tape_ends_where_that_was_asked_for(tmp_path: Path) -> None:
    told = finish(smc_agent(*run(tmp_path, free_port(), "--exit-at-end")))
    assert (told["state"], told["bars"], told["error"]) == ("finished", 3_000, "")


def test_it_goes_on_serving_when_the_tape_has_ended(tmp_path: Path) -> None:
    port = free_port()
    process = smc_agent(*run(tmp_path, port))
    address = f"http://127.0.0.1:{port}/api/optimized/health"
    wait_until(lambda: (get(address)[1] or {}).get("data", {}).get("state") == "finished", process)
    assert get(address)[1]["data"]["overall_status"] in ("healthy", "degraded")
    process.send_signal(signal.SIGINT)
    assert finish(process)["bars"] == 3_000


def test_a_port_that_is_taken_ends_it_with_the_address_and_leaves_the_account_sound(
    tmp_path: Path, taken_port: int
) -> None:
    process = smc_agent(*run(tmp_path, taken_port))
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert str(taken_port) in said.decode()
    assert "address already in use" in said.decode()
    told = finish(smc_agent(*run(tmp_path, free_port(), "--exit-at-end")))
    assert (told["bars"], told["error"]) == (3_000, "")


def test_an_account_that_can_not_be_resumed_is_told_before_anything_is_served(tmp_path: Path) -> None:
    finish(smc_agent(*run(tmp_path, free_port(), "--exit-at-end")))
    process = smc_agent(*run(tmp_path, free_port(), "--timeframe", "5m"))
    out, said = process.communicate(timeout=60)
    assert process.returncode == 4
    assert b"belongs to decision_timeframe" in out
    assert b"Traceback" not in said


def test_a_wrong_setting_ends_the_launcher_with_its_name(tmp_path: Path) -> None:
    process = start([sys.executable, "main_optimized.py"], SMC_STATE_DIR=str(tmp_path), SMC_PORT="no port")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "app.port = 'no port'" in said.decode()
    assert b"Traceback" not in said
