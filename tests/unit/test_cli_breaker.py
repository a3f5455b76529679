"""`smc-agent breaker` and `smc-agent kill` on kept accounts: what is shown, left for the agent, or refused."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest

from smc_trading_agent.domain.breaker import BreakerAction, BreakerOrder
from smc_trading_agent.domain.clock import MarketClock
from smc_trading_agent.runtime.breaker_desk import send
from smc_trading_agent.runtime.kill_switch import KILL_FILE, REQUESTS
from tests.processes import finish
from tests.processes import smc_agent as agent_process
from tests.unit.test_cli_backtest import answer, smc_agent
from tests.unit.test_cli_run import run, the_account


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SMC_STATE_DIR", raising=False)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """An account that has traded a little, and no agent on it."""
    answer(run())
    return tmp_path / "state"


def shown() -> dict[str, Any]:
    (account,) = answer(smc_agent("breaker", "show", "--json"))["accounts"]
    return dict(account)


def breaker(*words: object, code: int = 0) -> dict[str, Any]:
    return answer(smc_agent("breaker", *words, "--wait", 0, "--json"), code)


def trade_on(bars: int) -> dict[str, Any]:
    """The agent runs again, some bars further; it takes what waits for it before the first of them."""
    return answer(run(bars=bars))


def test_show_tells_scopes_word_and_reason(state: Path) -> None:
    told = shown()
    assert (told["account"], told["state"], told["public"]) == (the_account(state).name, "active", "closed")
    assert told["scopes"] == {"account:paper": "active"}
    assert told["last"]["cause"] == "probes_ended"
    assert (told["kill_files"], told["waiting"]) == ([], 0)


def test_show_is_a_table_too(state: Path) -> None:
    result = smc_agent("breaker", "show")
    assert result.exit_code == 0
    assert "account:paper" in result.stdout
    assert "probes_ended" in result.stdout


def test_an_order_waits_for_the_agent_and_takes_effect_at_its_next_start(state: Path) -> None:
    told = breaker("trip", "--reason", "look first", "--actor", "ada", "--scope", "instrument", code=1)
    assert told["accepted"] is None
    assert shown()["waiting"] == 1
    assert trade_on(4_500)["breaker"] == "halted"
    told = shown()
    assert (told["state"], told["waiting"]) == ("halted", 0)
    assert [scope.partition(":")[0] for scope in told["scopes"]] == ["account", "instrument"]
    assert (told["last"]["actor"], told["last"]["detail"]) == ("ada", "look first")
    breaker("rearm", "--reason", "looked", "--actor", "grace", "--scope", "instrument", code=1)
    assert trade_on(5_000)["breaker"] in ("half_open", "active")
    answers = list((the_account(state) / REQUESTS).glob("*.answer"))
    assert len(answers) == 2


def test_the_answer_of_a_running_agent_is_told(state: Path) -> None:
    """A refusal ends the command with its reason."""
    base = ["run", "--no-api", "--seed", "11", "--take-every-setup", "--state-dir", str(state), "--json"]
    agent = agent_process(*base, "--speed", "600", "--fast-forward", "4000")
    told = answer(smc_agent("breaker", "rearm", "--reason", "why not", "--actor", "ada", "--wait", 50, "--json"), 2)
    assert "only reducing, halted and killed" in told["message"]
    taken = answer(smc_agent("breaker", "trip", "--reason", "look", "--actor", "ada", "--wait", 50, "--json"))
    assert (taken["accepted"], taken["state"]) == (True, "halted")
    agent.send_signal(signal.SIGINT)
    assert finish(agent)["breaker"] == "halted"


def test_a_kill_of_all_waits_in_one_file_and_stays_until_two_people_agree(state: Path) -> None:
    told = answer(smc_agent("kill", "--reason", "runaway", "--actor", "ada", "--wait", 0, "--json"))
    assert told["kill_files"] == [str(Path("state") / KILL_FILE)]
    assert told["journalled"] is False
    assert trade_on(4_500)["breaker"] == "killed"
    assert shown()["kill_files"] == [str(Path("state") / KILL_FILE)]
    refused = breaker("rearm", "--scope", "global", "--reason", "found", "--actor", "ada", code=2)
    assert "remove it first" in refused["message"]
    (state / KILL_FILE).unlink()
    for actor, after, bars in (("ada", "killed", 5_000), ("ada", "killed", 5_500), ("grace", "half_open", 6_000)):
        breaker("rearm", "--scope", "global", "--reason", "found", "--actor", actor, code=1)
        assert trade_on(bars)["breaker"] == after
    assert (
        answer(smc_agent("kill", "--reason", "again", "--wait", 0, "--actor", "ada", "--json"))["journalled"] is False
    )


def test_a_kill_of_one_account_is_its_own_file(state: Path) -> None:
    folder = the_account(state)
    told = answer(smc_agent("kill", "--scope", "strategy", "--reason", "r", "--actor", "ada", "--wait", 0, "--json"))
    assert told["kill_files"] == [str(Path("state") / folder.name / KILL_FILE)]
    assert trade_on(4_500)["breaker"] == "killed"
    assert shown()["scopes"]["strategy:smc"] == "killed"
    told = answer(smc_agent("kill", "--reason", "r", "--actor", "ada", "--account", folder.name, "--json"))
    assert told["journalled"] is True


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("breaker", "show"), "no account is kept in state"),
        (("breaker", "trip", "--reason", "r", "--actor", "a"), "no account is kept in state"),
        (("breaker", "show", "--account", "nobody"), "no account 'nobody'"),
        (("kill", "--scope", "venue", "--reason", "r", "--actor", "a"), "no account is kept in state"),
    ],
)
def test_where_no_account_is_kept_there_is_nothing_to_ask(words: tuple[str, ...], told: str) -> None:
    assert told in answer(smc_agent(*words, "--json"), 2)["message"]


def test_with_several_accounts_one_must_be_named(state: Path) -> None:
    answer(smc_agent("run", "--no-api", "--speed", "max", "--seed", 5, "--bars", 100, "--json"))
    refused = breaker("trip", "--reason", "r", "--actor", "a", code=2)
    assert "say which with --account" in refused["message"]
    assert len(answer(smc_agent("breaker", "show", "--json"))["accounts"]) == 2


@pytest.fixture
def unreadable(state: Path) -> Path:
    folder = the_account(state) / REQUESTS
    folder.mkdir()
    (folder / "1-broken.json").write_text("{")
    return folder


def test_a_request_that_can_not_be_read_is_set_aside_and_the_next_one_taken(unreadable: Path) -> None:
    order = BreakerOrder(BreakerAction.TRIP, "account", "ada", "look")
    send(unreadable.parent, order, MarketClock(7))
    assert trade_on(4_500)["breaker"] == "halted"
    assert (unreadable / "1-broken.unreadable").exists()
