"""The training report in a real browser, opened from disk: light and dark, wide and on a phone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smc_trading_agent.research.training.report import write_report
from tests.findings import realistic

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="chromium is not on PATH; install it to test the report in a browser"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=BROWSER, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_bytes(write_report(realistic()))
    return path


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report_fits_the_screen_and_follows_the_reader(browser: Any, file: Path, scheme: str, width: int) -> None:
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    page = context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda line: complaints.append(line.text))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == {"light": "rgb(255, 255, 255)", "dark": "rgb(20, 23, 27)"}[scheme]
    shown = [picture.get_attribute("class") for picture in page.locator("figure > svg:visible").all()]
    assert shown == ["narrow" if width == 360 else "wide"] * 4
    assert page.get_by_role("img").count() == 4
    outside = page.evaluate(
        """() => [...document.querySelectorAll("figure > svg")].filter((it) => it.checkVisibility()).flatMap((svg) => {
            const frame = svg.getBoundingClientRect();
            return [...svg.querySelectorAll("text")].filter((text) => {
                const box = text.getBoundingClientRect();
                return box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1;
            }).map((text) => text.textContent);
        })"""
    )
    assert outside == []
    assert (complaints, requests) == ([], [file.as_uri()])
    context.close()


def test_the_report_opens_its_folded_tables_by_keyboard(browser: Any, file: Path) -> None:
    page = browser.new_page()
    page.goto(file.as_uri())
    table = page.get_by_role("table", name="The same in figures")
    assert table.is_hidden()
    page.locator("summary", has_text="The same in figures").press("Enter")
    assert table.is_visible()
    page.close()
