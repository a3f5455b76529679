"""`smc-agent chart`: results, exit codes, and files that are never half-written."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from smc_trading_agent.charts import photo
from smc_trading_agent.charts.document import TEMPLATE
from smc_trading_agent.charts.photo import Frame, find_browser, photograph
from smc_trading_agent.cli import app
from smc_trading_agent.cli.output import replaced_whole
from smc_trading_agent.domain.errors import DataError, DrawingError

built = pytest.mark.skipif(not TEMPLATE.is_file(), reason="the chart page is not built; run make setup")


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tape") / "tape.parquet"
    command = ["data", "synthesize", "--bars", "3000", "--seed", "5", "--out", str(path)]
    assert CliRunner().invoke(app, command).exit_code == 0
    return path


def call(tape: Path, out: Path, *options: str) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, ["chart", "--data", str(tape), "--out", str(out), "--json", *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, json.loads(result.stdout)


def program(folder: Path, script: str) -> Path:
    path = folder / "browser"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def fill_the_disk(out: Path) -> None:
    with replaced_whole(out) as temporary:
        temporary.write_bytes(b"ha")
        raise OSError(28, "No space left on device")


@built
def test_a_page_is_written_and_told_of(tape: Path, tmp_path: Path) -> None:
    out = tmp_path / "chart.html"
    out.write_text("old", encoding="utf-8")
    code, told = call(tape, out, "--timeframe", "5m", "--concepts", "order_block,bos")
    assert (code, told["file"], told["label"], told["timeframe"]) == (0, str(out), "SYNTHETIC", "5m")
    assert (told["bars"], told["warmup_bars"], told["as_of"]) == (300, 300, "2024-01-03 02:00:00 UTC")
    assert told["known"].keys() == {"order_block", "bos"}
    page = out.read_text(encoding="utf-8")
    assert '"label":"SYNTHETIC"' in page
    assert re.findall(r'<(?:script|link|img)[^>]* (?:src|href)="(?!data:)', page.split('id="document"')[0]) == []
    assert list(tmp_path.iterdir()) == [out]


@built
def test_fewer_things_were_known_before(tape: Path, tmp_path: Path) -> None:
    code, now = call(tape, tmp_path / "a.html", "--from", "2024-01-02")
    assert code == 0
    code, then = call(tape, tmp_path / "b.html", "--from", "2024-01-02", "--as-of", "2024-01-02T12:00")
    assert (code, then["bars"], then["as_of"]) == (0, now["bars"], "2024-01-02 12:00:00 UTC")
    assert all(then["known"].get(kind, 0) <= number for kind, number in now["known"].items())
    assert sum(then["known"].values()) < sum(now["known"].values())


@built
@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        (("--from", "2024-02-01"), "DataError", "those read go from 2024-01-01 00:00:00 UTC to 2024-01-03 02:00:00"),
        (("--to", "2023-12-01"), "DataError", "no bar of 1m closes by --to"),
        (("--from", "2024-01-02", "--as-of", "2024-01-09"), "DataError", "--as-of lies outside the bars shown"),
        (("--from", "2024-01-02", "--to", "2024-01-01"), "ConfigError", "is not before --to"),
        (("--concepts", "orderblock"), "ConfigError", "'orderblock'"),
        (("--timeframe", "7m"), "ConfigError", "decision_timeframe"),
    ],
)
def test_what_cannot_be_drawn_is_named_and_nothing_is_written(
    tape: Path, tmp_path: Path, options: tuple[str, ...], error: str, said: str
) -> None:
    code, told = call(tape, tmp_path / "chart.html", *options)
    assert (code, told["error"], told["exit_code"]) == (2, error, 2)
    assert said in told["message"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["chart.svg", "chart", ".", "missing/chart.html"])
def test_a_target_that_cannot_be_written_is_named(tape: Path, tmp_path: Path, name: str) -> None:
    code, told = call(tape, tmp_path / name)
    assert (code, told["error"]) == (2, "DataError")
    assert "--out" in told["message"]
    assert list(tmp_path.iterdir()) == []


def test_a_picture_without_a_browser_names_the_remedies(
    tape: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo, "BROWSERS", ("no-such-browser",))
    code, told = call(tape, tmp_path / "chart.png")
    assert (code, told["error"]) == (2, "DrawingError")
    assert all(remedy in told["message"] for remedy in ("install Chromium", "--browser", ".html"))
    with pytest.raises(DrawingError, match="is no program"):
        find_browser(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def test_a_browser_that_ends_or_says_nothing_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(DrawingError, match="code 3, saying: no display"):
        photograph("<html>", Frame(400, 300), program(tmp_path, "echo no display >&2; exit 3"))
    with pytest.raises(DrawingError, match=r"told no address within 0\.2 s"):
        photograph("<html>", Frame(400, 300), program(tmp_path, "exec tail -f /dev/null"), timeout=0.2)
    deaf = program(tmp_path, "echo 'DevTools listening on ws://127.0.0.1:9/x' >&2; exec tail -f /dev/null")
    with pytest.raises(DrawingError, match="took no picture"):
        photograph("<html>", Frame(400, 300), deaf, timeout=5.0)


@built
def test_a_browser_that_fails_leaves_the_old_picture(tape: Path, tmp_path: Path) -> None:
    out = tmp_path / "chart.png"
    out.write_bytes(b"old")
    (tmp_path / "bin").mkdir()
    code, told = call(tape, out, "--browser", str(program(tmp_path / "bin", "exit 1")))
    assert (code, told["error"], out.read_bytes()) == (2, "DrawingError", b"old")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "chart.png"]


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    out = tmp_path / "file"
    out.write_bytes(b"old")
    with pytest.raises(DataError, match="No space left"):
        fill_the_disk(out)
    assert (out.read_bytes(), list(tmp_path.iterdir())) == (b"old", [out])
    with replaced_whole(out) as temporary:
        temporary.write_bytes(b"whole")
    assert (out.read_bytes(), list(tmp_path.iterdir())) == (b"whole", [out])
