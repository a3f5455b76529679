"""The generated tables in docs/reference are those that the code would generate now."""

from __future__ import annotations

from pathlib import Path

import pytest

from smc_trading_agent._core import EVENT_KINDS, detector_parameters
from smc_trading_agent.runtime.detector_reference import parameter_types
from smc_trading_agent.runtime.reference_tables import PAGES
from smc_trading_agent.smc_detector import parameters

FOLDER = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", sorted(PAGES))
def test_page_is_current(name: str) -> None:
    written = (FOLDER / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), f"run `make docs-tables`: docs/reference/{name} is out of date"


def test_the_types_of_the_parameters_are_current() -> None:
    written = Path(parameters.__file__).read_text(encoding="utf-8")
    assert written == parameter_types(), "run `make docs-tables`: smc_detector/parameters.py is out of date"


def test_the_detectors_page_has_every_kind_and_every_parameter() -> None:
    page = PAGES["detector.md"]()
    for name in (*EVENT_KINDS, *(key for key, default, *_ in detector_parameters() if default)):
        assert f"| `{name}` |" in page
