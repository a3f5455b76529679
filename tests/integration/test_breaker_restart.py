"""kill -9 in each state of the breaker: the next process is in the same state, with the same limits behind it."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import msgspec
import pytest

from smc_trading_agent.coordinator import CoordinatorState
from smc_trading_agent.domain.breaker import BreakerAction, BreakerAnswer, BreakerOrder
from smc_trading_agent.domain.clock import SystemClock
from smc_trading_agent.domain.reasons import BreakerState, severity
from smc_trading_agent.domain.types import BreakerChange
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.risk_manager.gateway import GatewayRecord
from smc_trading_agent.runtime.breaker_desk import answer_to, kept_breaker, send
from tests.processes import PATIENCE_S, facts_in, finish, smc_agent, wait_until

BARS = "400000"
CONFIG = """
decision: {take_every_setup: true, time_limit_bars: 10, min_reward_risk: 0.3}
risk:
  max_daily_loss: 1
  halt_daily_loss: 1
  max_drawdown: 1
  probe_timeout_seconds: 3600000
journal: {checkpoint_bars: 200}
"""


def arguments(root: Path, *pace: str) -> list[str]:
    (root / "config.yaml").write_text(CONFIG)
    base = ["run", "--seed", "61", "--bars", BARS, "--no-api", "--config", str(root / "config.yaml"), "--json"]
    return [*base, "--state-dir", str(root / "state"), *pace]


def agent(root: Path) -> subprocess.Popen[bytes]:
    """An agent that has traded, and goes on at two hours of market a second."""
    return smc_agent(*arguments(root, "--speed", "7200", "--fast-forward", "3000"))


def folder_of(root: Path) -> Path:
    (file,) = (root / "state").glob("*/journal.db")
    return file.parent


def state_of(root: Path) -> BreakerState:
    return kept_breaker(folder_of(root)).state if facts_in(root / "state") else BreakerState.STARTING


def asked(root: Path, order: BreakerOrder) -> BreakerAnswer:
    """The answer of the agent that runs, as `smc-agent breaker` gets it."""
    answer = answer_to(send(folder_of(root), order, SystemClock()), PATIENCE_S)
    assert answer is not None
    return answer


def kill_nine(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


def changes_of(root: Path) -> list[BreakerChange]:
    with SqliteJournal(folder_of(root) / "journal.db") as journal:
        return [msgspec.json.decode(fact.payload, type=BreakerChange) for fact in journal.facts(kind="breaker")]


def gate_of(root: Path) -> GatewayRecord:
    """What the gate keeps, from the newest checkpoint."""
    with SqliteJournal(folder_of(root) / "journal.db") as journal:
        checkpoint = journal.rewind()
        assert checkpoint is not None
        state = msgspec.msgpack.decode(checkpoint.state, type=CoordinatorState)
    codec = msgspec.json if state.gate.startswith(b"{") else msgspec.msgpack
    return codec.decode(state.gate, type=GatewayRecord)


def lead_to(root: Path, state: BreakerState) -> None:
    if state in (BreakerState.REDUCING, BreakerState.HALTED):
        assert asked(root, BreakerOrder(BreakerAction.TRIP, "account", "ada", "drill", state)).accepted
    elif state is BreakerState.HALF_OPEN:
        lead_to(root, BreakerState.HALTED)
        answer = asked(root, BreakerOrder(BreakerAction.REARM, "account", "ada", "drill is over"))
        assert (answer.accepted, answer.state) == (True, state)
    elif state is BreakerState.KILLED:
        told = finish(smc_agent("kill", "--reason", "drill", "--state-dir", str(root / "state"), "--json"))
        assert told["journalled"] is True


@pytest.mark.parametrize("state", [state for state in BreakerState if state is not BreakerState.STARTING])
def test_killed_in_a_state_it_starts_again_in_that_state(tmp_path: Path, state: BreakerState) -> None:
    first = agent(tmp_path)
    wait_until(lambda: state_of(tmp_path) is BreakerState.ACTIVE, first)
    lead_to(tmp_path, state)
    kill_nine(first)
    before, kept = changes_of(tmp_path), gate_of(tmp_path)
    held = kept_breaker(folder_of(tmp_path)).state
    second = agent(tmp_path)
    # It refuses this, and that it answers says that it has recovered and goes on.
    assert not asked(tmp_path, BreakerOrder(BreakerAction.REARM, "strategy", "ada", "is it there?")).accepted
    kill_nine(second)
    after = changes_of(tmp_path)
    assert after[: len(before)] == before
    resumed = after[len(before)].before if len(after) > len(before) else kept_breaker(folder_of(tmp_path)).state
    assert resumed is held
    assert severity(resumed) >= severity(state) or state is BreakerState.HALF_OPEN
    now = gate_of(tmp_path)
    assert now.peak_equity >= kept.peak_equity
    assert now.day > kept.day or now.day_start_equity == kept.day_start_equity


def test_a_kill_file_alone_kills_and_only_two_people_end_it_whatever_crashes_in_between(tmp_path: Path) -> None:
    first = agent(tmp_path)
    wait_until(lambda: state_of(tmp_path) is BreakerState.ACTIVE, first)
    kill_nine(first)
    (tmp_path / "state" / "KILL").touch()
    second = agent(tmp_path)
    wait_until(lambda: state_of(tmp_path) is BreakerState.KILLED, second)
    kill_nine(second)
    (tmp_path / "state" / "KILL").unlink()
    third = agent(tmp_path)
    words = [asked(tmp_path, BreakerOrder(BreakerAction.REARM, "global", who, "drill")) for who in ("ada", "ada")]
    assert [word.state for word in words] == [BreakerState.KILLED, BreakerState.KILLED]
    kill_nine(third)
    fourth = agent(tmp_path)
    last = asked(tmp_path, BreakerOrder(BreakerAction.REARM, "global", "grace", "drill"))
    assert last.accepted, "the first person's word has survived as well"
    assert last.state is BreakerState.HALF_OPEN
    kill_nine(fourth)
