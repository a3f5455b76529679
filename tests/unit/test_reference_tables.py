"""The generated tables in docs/reference are those that the code would generate now."""

from __future__ import annotations

from pathlib import Path

import pytest

from smc_trading_agent.runtime.reference_tables import PAGES

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", sorted(PAGES))
def test_page_is_current(name: str) -> None:
    written = (FOLDER / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), f"run `make docs-tables`: docs/reference/{name} is out of date"
