"""What every test may rely on: reproducible property tests, and recorded data and the extra `train` where present."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest
from hypothesis import settings

TRAINING = ("gymnasium", "lightgbm", "onnx", "stable_baselines3", "torch")
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


@pytest.fixture(scope="session")
def training_extra() -> None:
    """The packages of the extra ``train``; skips where one is absent, fails there under ``SMC_REQUIRE_TRAINING=1``."""
    absent = [module for module in TRAINING if importlib.util.find_spec(module) is None]
    if not absent:
        return
    absence = f"the extra `train` is not installed ({', '.join(absent)}); make train-setup installs it"
    if os.environ.get("SMC_REQUIRE_TRAINING") == "1":
        pytest.fail(absence)
    pytest.skip(absence)
