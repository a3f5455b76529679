"""`smc-agent simex` says what it can't use, before it listens."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from smc_trading_agent.cli import app


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["simex", "--json", *arguments])
    assert result.exit_code == 2, result.output
    answer = json.loads(result.stdout)
    assert answer["error"] in {"ConfigError", "DataError"}
    return str(answer["message"])


def test_a_taken_port_is_named() -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = str(holder.getsockname()[1])
        assert f"port {port}" in refused("--port", port)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"kind": "lost_answer", "whenever": 1}]', "whenever"),
        ('[{"kind": "explode"}]', "explode"),
        ("{", "no fault script"),
    ],
)
def test_a_fault_script_that_can_not_be_read_is_refused(tmp_path: Path, text: str, said: str) -> None:
    script = tmp_path / "faults.json"
    script.write_text(text)
    assert said in refused("--faults", str(script))


def test_a_fault_script_must_exist(tmp_path: Path) -> None:
    assert "nothing.json" in refused("--faults", str(tmp_path / "nothing.json"))


def test_a_tape_needs_candles_of_a_listed_symbol(tmp_path: Path) -> None:
    empty = tmp_path / "empty.csv"
    empty.write_text("open_time,open,high,low,close\n")
    assert "holds no candle" in refused("--tape", str(empty))
    assert "DOGEUSDT is not listed" in refused("--tape", f"DOGEUSDT={empty}")
    assert "can't be read" in refused("--tape", str(tmp_path / "absent.zip"))
