"""The chart file in a real browser, opened from disk: what it draws, says, and shows of the past; and its picture."""

from __future__ import annotations

import json
import shutil
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from smc_trading_agent.charts.document import TEMPLATE
from smc_trading_agent.charts.photo import find_browser
from smc_trading_agent.cli import app
from smc_trading_agent.domain.errors import DrawingError

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
READY = "html[data-ready=true]"

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="chromium is not on PATH; install it to test the chart in a browser"),
    pytest.mark.skipif(not TEMPLATE.is_file(), reason="the chart page is not built; run make setup"),
]


@pytest.fixture(scope="module")
def tape(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tape") / "tape.parquet"
    command = ["data", "synthesize", "--bars", "4000", "--seed", "7", "--out", str(path)]
    assert CliRunner().invoke(app, command).exit_code == 0
    return path


def chart(tape: Path, out: Path, *options: str) -> dict[str, Any]:
    result = CliRunner().invoke(app, ["chart", "--data", str(tape), "--out", str(out), "--json", *options])
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, tape: Path, tmp_path: Path) -> Iterator[Any]:
    """The chart of 120 bars with zones alone, from disk; what was asked of the network is in ``page.requests``."""
    out = tmp_path / "chart.html"
    chart(
        tape, out, "--concepts", "order_block,fair_value_gap", "--from", "2024-01-03T16:00", "--to", "2024-01-03T18:00"
    )
    context = browser.new_context(color_scheme="light", viewport={"width": 1200, "height": 700})
    opened = context.new_page()
    opened.complaints, opened.requests = [], []
    opened.on("request", lambda request: opened.requests.append(request.url))
    opened.on(
        "console", lambda line: opened.complaints.append(line.text) if line.type in {"error", "warning"} else None
    )
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.goto(out.as_uri())
    opened.wait_for_selector(READY)
    yield opened
    context.close()


def counts(page: Any) -> dict[str, int]:
    chips = page.locator(".chip").all()
    return {chip.get_attribute("data-kind"): int(chip.locator(".number").inner_text()) for chip in chips}


def painted(page: Any, name: str) -> int:
    """How many pixels of the chart have the colour of a CSS custom property."""
    count: int = page.evaluate(
        """name => {
            const probe = document.createElement("canvas").getContext("2d");
            probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
            const wanted = [1, 3, 5].map((at) => Number.parseInt(probe.fillStyle.slice(at, at + 2), 16));
            let count = 0;
            for (const canvas of document.querySelectorAll("#chart canvas")) {
                if (canvas.width === 0 || canvas.height === 0) continue;
                const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
                for (let at = 0; at < data.length; at += 4) {
                    if (wanted.every((value, part) => data[at + part] === value)) count += 1;
                }
            }
            return count;
        }""",
        name,
    )
    return count


def drawn(page: Any) -> None:
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def scrub(page: Any, index: int) -> None:
    page.locator(".slider").fill(str(index))
    drawn(page)


def test_the_file_draws_itself_and_asks_the_network_for_nothing(page: Any) -> None:
    assert page.text_content("h1") == "SYNUSDT"
    assert page.text_content(".badge") == "SYNTHETIC"
    assert "3 Jan 2024, 16:00 – 3 Jan 2024, 18:00 UTC" in page.inner_text(".title")
    assert page.complaints == []
    assert painted(page, "--up") > 200
    assert painted(page, "--down") > 200
    assert painted(page, "--bull") + painted(page, "--bear") > 50
    assert all(url.startswith(("file:", "data:")) for url in page.requests)


def test_a_zone_tells_when_it_became_known(page: Any) -> None:
    frame = page.locator("#chart .canvas").bounding_box()
    tip = page.locator(".tip")
    for across in range(19, 1, -1):
        for down in range(1, 20):
            page.mouse.move(frame["x"] + frame["width"] * across / 22, frame["y"] + frame["height"] * down / 20)
            if tip.is_visible():
                text = tip.inner_text()
                assert "Order block" in text or "Fair value gap" in text
                for part in ("Formed", "Known", "Price", "Id", "bullish" if "bullish" in text else "bearish"):
                    assert part in text
                return
    pytest.fail("no zone was found under the pointer")


def test_scrubbing_back_shows_what_was_known_then(page: Any, tape: Path, tmp_path: Path) -> None:
    everything = counts(page)
    lines = painted(page, "--bull") + painted(page, "--bear")
    scrub(page, 29)  # the bar that closes at 16:30
    assert "16:30" in page.inner_text(".known")
    span = ("--from", "2024-01-03T16:00", "--to", "2024-01-03T18:00")
    then = chart(
        tape, tmp_path / "then.html", *span, "--concepts", "order_block,fair_value_gap", "--as-of", "2024-01-03T16:30"
    )
    assert {kind: number for kind, number in counts(page).items() if number} == then["known"]
    assert sum(counts(page).values()) < sum(everything.values())
    assert painted(page, "--bull") + painted(page, "--bear") != lines
    page.keyboard.press("End")
    drawn(page)
    assert counts(page) == everything
    page.keyboard.press("ArrowLeft")
    assert "17:59" in page.inner_text(".known")


def test_a_file_made_as_of_a_moment_opens_there(browser: Any, tape: Path, tmp_path: Path) -> None:
    out = tmp_path / "then.html"
    told = chart(tape, out, "--as-of", "2024-01-03T17:00", "--theme", "dark")
    context = browser.new_context(color_scheme="light", viewport={"width": 1000, "height": 600})
    opened = context.new_page()
    opened.goto(out.as_uri())
    opened.wait_for_selector(READY)
    assert "17:00" in opened.inner_text(".known")
    assert {kind: number for kind, number in counts(opened).items() if number} == told["known"]
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 25, 32)"
    context.close()


def test_a_concept_can_be_switched_off(page: Any) -> None:
    for chip in page.locator(".chip").all():
        chip.click()
        assert chip.get_attribute("aria-pressed") == "false"
    drawn(page)
    assert painted(page, "--bull") + painted(page, "--bear") == 0


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("second") / "second.parquet"
    command = ["data", "synthesize", "--bars", "4000", "--seed", "8", "--follow", "7", "--out", str(path)]
    assert CliRunner().invoke(app, command).exit_code == 0
    return path


def test_two_instruments_stand_one_below_the_other(browser: Any, tape: Path, second: Path, tmp_path: Path) -> None:
    span = ("--from", "2024-01-03T08:00", "--to", "2024-01-03T18:00", "--timeframe", "3m")
    told = chart(tape, tmp_path / "both.html", "--with", str(second), "--concepts", "smt_divergence", *span)
    assert told["known"]["smt_divergence"] > 0
    context = browser.new_context(color_scheme="light", viewport={"width": 1200, "height": 700})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto((tmp_path / "both.html").as_uri())
    opened.wait_for_selector(READY)
    everything = counts(opened)
    assert everything == {"smt_divergence": told["known"]["smt_divergence"]}
    assert "with second.parquet" in opened.inner_text("#foot")
    lines, bars = painted(opened, "--bull") + painted(opened, "--bear"), painted(opened, "--neutral")
    assert lines > 20
    assert bars > 200
    scrub(opened, 2)
    assert painted(opened, "--bull") + painted(opened, "--bear") < lines
    assert painted(opened, "--neutral") < bars
    opened.keyboard.press("End")
    drawn(opened)
    opened.locator(".chip").click()
    drawn(opened)
    assert painted(opened, "--bull") + painted(opened, "--bear") == 0
    assert complaints == []
    context.close()


def pixels(png: bytes) -> NDArray[np.uint8]:
    """An 8-bit RGB or RGBA PNG, shape (height, width, channels), by the filters of the PNG specification."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height, depth, colour = struct.unpack(">IIBB", png[16:26])
    assert depth == 8
    channels = {2: 3, 6: 4}[colour]
    at, data = 8, b""
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        data += png[at + 8 : at + 8 + length] if png[at + 4 : at + 8] == b"IDAT" else b""
        at += length + 12
    raw = np.frombuffer(zlib.decompress(data), dtype=np.uint8).reshape(height, 1 + width * channels)
    return unfiltered(raw, channels).reshape(height, width, channels)


def unfiltered(raw: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    rows = np.zeros((raw.shape[0] + 1, raw.shape[1] - 1), dtype=np.uint8)
    for number, line in enumerate(raw, start=1):
        kind, row, above = int(line[0]), bytearray(line[1:].tobytes()), bytes(rows[number - 1].tobytes())
        for at in range(len(row)):
            left = row[at - channels] if at >= channels else 0
            corner = above[at - channels] if at >= channels else 0
            up = above[at]
            guess = left + up - corner
            paeth = min((left, up, corner), key=lambda near: abs(guess - near))
            row[at] = (row[at] + (0, left, up, (left + up) // 2, paeth)[kind]) & 255
        rows[number] = np.frombuffer(bytes(row), dtype=np.uint8)
    return rows[1:]


@pytest.mark.parametrize(("theme", "surface"), [("dark", (20, 25, 32)), ("light", (255, 255, 255))])
def test_the_picture_has_its_size_and_shows_candles(
    tape: Path, tmp_path: Path, theme: str, surface: tuple[int, int, int]
) -> None:
    out = tmp_path / "chart.png"
    told = chart(tape, out, "--theme", theme, "--width", "480", "--height", "320", "--scale", "2")
    assert (told["file"], told["bars"]) == (str(out), 300)
    picture = pixels(out.read_bytes())
    assert picture.shape[:2] == (640, 960)
    background = (picture[:, :, :3] == surface).all(axis=2)
    assert 0.2 < background.mean() < 0.97
    colours = np.unique(picture[:, :, :3].reshape(-1, 3), axis=0)
    assert len(colours) > 100
    assert list(tmp_path.iterdir()) == [out]


def test_the_browser_is_found() -> None:
    try:
        assert find_browser(None).is_file()
    except DrawingError as error:
        pytest.fail(str(error))
