"""The page in a real browser, against a real agent on the synthetic market."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smc_trading_agent.api.app import PAGE_DIR

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
START_TIMEOUT_S = 60
PAGE_TIMEOUT_MS = 45_000
# Playwright's wait_for_function would need eval, which the page's policy forbids; selectors need none.
LIVE = '#header [role=status]:has-text("Live")'
ZONES = " live zones"

pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="chromium is not on PATH; install it to test the page in a browser"),
    pytest.mark.skipif(not (PAGE_DIR / "index.html").is_file(), reason="the page is not built; run make setup"),
]


class AgentProcess:
    """`python main_optimized.py` on a free port, with a state folder of its own."""

    def __init__(self, root: Path, state: Path) -> None:
        self._root, self._state = root, state
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Returns when the port answers."""
        settings = {"SMC_PORT": str(self.port), "SMC_STATE_DIR": str(self._state), "LOG_LEVEL": "WARNING"}
        command = [sys.executable, "main_optimized.py"]
        self.process = subprocess.Popen(command, cwd=self._root, env=os.environ | settings)
        patience = threading.Event()
        for _ in range(START_TIMEOUT_S * 20):
            assert self.process.poll() is None, f"the agent ended with code {self.process.returncode}"
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            patience.wait(0.05)
        pytest.fail(f"the agent did not listen within {START_TIMEOUT_S} s")

    def end(self, how: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(60)


@pytest.fixture(scope="module")
def agent(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AgentProcess]:
    running = AgentProcess(repository, tmp_path_factory.mktemp("state"))
    running.start()
    yield running
    running.end(signal.SIGINT)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any, agent: AgentProcess) -> Iterator[Any]:
    """The page in a fresh browser profile; what the console complained of is in ``page.complaints``."""
    context = browser.new_context(color_scheme="dark", viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(PAGE_TIMEOUT_MS)
    opened = context.new_page()
    opened.complaints = []
    opened.on(
        "console", lambda line: opened.complaints.append(line.text) if line.type in {"error", "warning"} else None
    )
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.goto(agent.address)
    opened.wait_for_selector(".decision-button")
    yield opened
    context.close()


def painted(page: Any, name: str) -> int:
    """How many pixels of the price chart have the colour of a CSS custom property."""
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


def test_the_page_says_what_it_shows_and_breaks_no_rule_of_its_own_policy(page: Any) -> None:
    assert page.text_content(".badges") == "SYNTHETICPAPER"
    assert page.text_content(".symbol") == "SYNUSDT"
    page.wait_for_selector(LIVE)
    assert page.complaints == []


def test_candles_and_zones_are_drawn(page: Any) -> None:
    page.wait_for_selector(f"#chart .canvas[aria-description$='{ZONES}']:not([aria-description$=' 0{ZONES}'])")
    assert painted(page, "--up") > 200
    assert painted(page, "--down") > 200
    lines = painted(page, "--bull") + painted(page, "--bear") + painted(page, "--liquidity")
    assert lines > 50
    for switch in page.locator("#chart .toggle").all():
        switch.click()
        assert switch.get_attribute("aria-pressed") == "false"
    page.evaluate("() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
    assert painted(page, "--bull") + painted(page, "--bear") + painted(page, "--liquidity") < lines / 4


def test_a_decision_tells_why_by_mouse_and_by_keyboard(page: Any) -> None:
    name = page.locator(".decision-button").first.get_attribute("aria-controls")
    chosen = page.locator(f"[aria-controls={name}]")  # newer decisions push it down meanwhile
    chosen.click()
    why = page.locator(".why:visible")
    assert why.count() == 1
    text = why.inner_text()
    for part in ("P(win)", "Break-even", "Evidence", "Entry", "Stop", "Target", "smc-agent explain d"):
        assert part in text
    assert chosen.get_attribute("aria-expanded") == "true"
    page.keyboard.press("Escape")
    assert page.locator(".why:visible").count() == 0
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.locator(":focus").get_attribute("aria-expanded") == "true"
    assert page.locator(":focus").get_attribute("aria-controls") != name


def test_it_fits_a_phone(page: Any) -> None:
    page.set_viewport_size({"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("#chart canvas").first.bounding_box()["width"] > 150


def test_a_dropped_connection_is_told_and_comes_back_by_itself(page: Any, agent: AgentProcess) -> None:
    page.wait_for_selector(LIVE)
    agent.end(signal.SIGKILL)
    page.wait_for_selector('.notice:visible:has-text("is lost")')
    assert page.text_content("#header [role=status]") == "Disconnected"
    agent.start()
    page.wait_for_selector(LIVE)
    page.wait_for_selector(".notice", state="hidden")
    assert page.locator(".decision-button").count() > 0
