"""Every Python example in the documentation runs, in the order of its page; what the README counts is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from smc_trading_agent.risk_manager.checks.catalogue import ENTRY_CHECKS

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = sorted(
    path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md") if BLOCK.search(path.read_text("utf-8"))
)


def test_there_are_examples_to_run() -> None:
    assert "concepts/detector.md" in PAGES


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_a_page_run(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    names: dict[str, object] = {"__name__": page}
    for block in BLOCK.finditer(text):
        line = text.count("\n", 0, block.start(1))
        exec(compile("\n" * line + block.group(1), str(DOCS / page), "exec"), names)


def test_the_readme_counts_the_checks_that_every_entry_meets() -> None:
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    assert f"{len(ENTRY_CHECKS)} checks on every entry" in readme
