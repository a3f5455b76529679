"""What every test may rely on: reproducible property tests, and the recorded market data where it is present."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

REPOSITORY = Path(__file__).resolve().parents[1]

settings.register_profile("deterministic", derandomize=True, deadline=None, print_blob=True)
settings.load_profile("deterministic")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the source tree."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of recorded market data: ``SMC_SHARED_DATA``, or ``../shared/data`` beside the repository.

    A test that asks for it skips where the folder is absent, and fails there under ``SMC_REQUIRE_SHARED_DATA=1``,
    so that a machine that should have the data can't pass by skipping.
    """
    folder = Path(os.environ.get("SMC_SHARED_DATA") or REPOSITORY.parent / "shared" / "data")
    if folder.is_dir():
        return folder
    absence = f"recorded market data is absent: {folder} is not a folder (SMC_SHARED_DATA names another place)"
    if os.environ.get("SMC_REQUIRE_SHARED_DATA") == "1":
        pytest.fail(absence)
    pytest.skip(absence)
