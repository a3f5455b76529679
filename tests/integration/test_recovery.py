"""Two processes and one account: the second is refused, and what a signal stopped goes on later."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.processes import facts_in, finish, smc_agent, wait_until

BARS = "12000"


def arguments(state: Path, *pace: str) -> list[str]:
    base = ["run", "--seed", "11", "--bars", BARS, "--no-api", "--exit-at-end", "--take-every-setup", "--json"]
    return [*base, "--state-dir", str(state), *pace]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    return finish(smc_agent(*arguments(tmp_path_factory.mktemp("whole"), "--speed", "max")))


def test_a_second_process_is_refused_and_ctrl_c_ends_the_first_in_order(
    uninterrupted: dict[str, object], tmp_path: Path
) -> None:
    first = smc_agent(*arguments(tmp_path, "--speed", "600", "--fast-forward", "3000"))
    wait_until(lambda: facts_in(tmp_path) > 4, first)
    second = finish(smc_agent(*arguments(tmp_path, "--speed", "max")), code=4)
    assert f"is in use by process {first.pid}" in str(second["message"])
    first.send_signal(signal.SIGINT)
    stopped = finish(first)
    assert stopped["state"] == "stopped"
    assert stopped["position"] == stopped["venue_position"]
    assert 0 < int(str(stopped["bars"])) < int(BARS)
    ended = finish(smc_agent(*arguments(tmp_path, "--speed", "max")))
    assert ended == uninterrupted


def test_killed_before_its_first_saved_state_it_begins_at_the_start_and_ends_the_same(
    uninterrupted: dict[str, object], tmp_path: Path
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("journal: {checkpoint_bars: 1000000}\n")
    state = tmp_path / "state"
    first = smc_agent(*arguments(state, "--speed", "600", "--fast-forward", "6000", "--config", str(config)))
    wait_until(lambda: facts_in(state) > 60, first)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    assert first.returncode == -signal.SIGKILL
    ended = finish(smc_agent(*arguments(state, "--speed", "max", "--config", str(config))))
    assert ended == uninterrupted
