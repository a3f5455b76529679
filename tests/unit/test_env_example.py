"""`.env.example` names and explains every variable that the agent or its public contract knows."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest

from smc_trading_agent import config

CONTRACT = {
    "UVLOOP_ENABLED",
    "PYTHONOPTIMIZE",
    "WORKERS",
    "REDIS_URL",
    "KAFKA_BOOTSTRAP_SERVERS",
    "DATABASE_URL",
    "DEBUG",
    "LOG_LEVEL",
    "BINANCE_API_KEY",
    "BINANCE_API_SECRET",
}


@pytest.fixture
def lines(repository: Path) -> list[str]:
    return (repository / ".env.example").read_text(encoding="utf-8").splitlines()


def variables(lines: list[str]) -> dict[str, str]:
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))


def test_every_variable_is_named(lines: list[str]) -> None:
    known = CONTRACT | set(config.ENVIRONMENT) | {config.API_KEY_VARIABLE}
    assert set(variables(lines)) == known


def test_every_variable_is_explained(lines: list[str]) -> None:
    unexplained = [
        line
        for before, line in pairwise(lines)
        if re.match(r"[A-Z_]+=", line) and not before.startswith("# ") and not re.match(r"[A-Z_]+=", before)
    ]
    assert unexplained == []


def test_no_secret_has_a_default(lines: list[str]) -> None:
    secrets = {name: value for name, value in variables(lines).items() if "KEY" in name or "SECRET" in name}
    assert set(secrets.values()) == {""}


def test_the_values_shown_are_accepted_and_change_nothing(lines: list[str], tmp_path: Path) -> None:
    shown = {name: value for name, value in variables(lines).items() if value}
    empty = tmp_path / "config.yaml"
    empty.write_text("", encoding="utf-8")
    assert config.load_settings(empty, shown) == config.load_settings(empty, {})
