"""A policy that leaves, in the agent: through the gate, with its reason in the journal, the same after a crash."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from smc_trading_agent.domain.errors import BundleError
from smc_trading_agent.domain.reasons import ExitReason, OrderPurpose
from smc_trading_agent.domain.settings import ModelSettings, Settings
from smc_trading_agent.domain.types import Intent, OrderEvent
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.research.backtest import run_backtest
from smc_trading_agent.runtime.assembly import Assembly
from smc_trading_agent.runtime.explanation import explain_in
from tests import bundles
from tests.accounts import Account
from tests.policies import leaving_onnx
from tests.runs import eager, run_whole, synthetic

BARS = 6_000
INSTRUMENT = synthetic(1).instrument.key


@pytest.fixture(name="bundle", scope="module")
def make_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its policy leaves once a twentieth of the time is over."""
    return bundles.written(
        tmp_path_factory.mktemp("bundle"),
        instruments=(INSTRUMENT,),
        timeframes=("3m",),
        files={"ppo.onnx": leaving_onnx(-0.05, elapsed_share=1.0)},
    )


def settings(bundle: Path, policy_exit: bool = True, checkpoint_bars: int = 500) -> Settings:
    models = ModelSettings(bundle=str(bundle), allow_unsigned=True, deadline_ms=0.0, quorum=1, policy_exit=policy_exit)
    return eager(checkpoint_bars, models=models)


def exits(journal: SqliteJournal) -> list[Intent]:
    return [msgspec.json.decode(fact.payload, type=Intent) for fact in journal.facts(kind="exit_intent")]


@pytest.fixture(name="whole", scope="module")
def make_whole(bundle: Path) -> Assembly:
    return run_whole(synthetic(BARS), settings(bundle))


def test_it_closes_what_is_held_through_the_gate_and_says_why(whole: Assembly) -> None:
    told = exits(whole.journal)
    by_policy = [intent for intent in told if intent.reason.startswith(ExitReason.POLICY)]
    assert len(by_policy) > 2
    for intent in by_policy:
        assert intent.purpose is OrderPurpose.EXIT
        (approval,) = whole.journal.facts(kind="approval", ref=intent.decision_id)
        assert b'"reduce_only":true' in approval.payload
    filled = [
        event
        for fact in whole.journal.facts(kind="order_event")
        if (event := msgspec.json.decode(fact.payload, type=OrderEvent)).trade_id and event.purpose is OrderPurpose.EXIT
    ]
    closed = {event.decision_id for event in filled}
    assert {intent.decision_id for intent in by_policy} <= closed
    assert not whole.coordinator.failures


def test_switched_off_nobody_is_asked(bundle: Path) -> None:
    told = exits(run_whole(synthetic(BARS), settings(bundle, policy_exit=False)).journal)
    assert not [intent for intent in told if intent.reason.startswith(ExitReason.POLICY)]


def test_a_backtest_gives_the_journal_of_the_paper_agent(whole: Assembly, bundle: Path) -> None:
    with SqliteJournal() as journal:
        result, _ = run_backtest(synthetic(BARS), settings(bundle), journal)
    assert result.journal_hash == whole.journal.head_hash


def test_a_stop_and_a_new_process_are_the_same_run(tmp_path: Path, whole: Assembly, bundle: Path) -> None:
    account = Account(tmp_path, lambda: synthetic(BARS), settings(bundle))
    first = account.process()
    first.run(lambda: first.runner.cursor >= 2_500)
    second = account.process()
    second.run()
    assert second.journal.head_hash == whole.journal.head_hash
    account.close()


def test_after_a_crash_the_replay_leaves_at_the_same_closes(tmp_path: Path, whole: Assembly, bundle: Path) -> None:
    account = Account(tmp_path, lambda: synthetic(BARS, batch=1), settings(bundle, checkpoint_bars=1_000_000))
    first = account.process()
    first.run_and_be_killed(lambda: first.runner.cursor == 4_000)
    second = account.process()
    second.run()
    assert [intent.reason for intent in exits(second.journal)] == [intent.reason for intent in exits(whole.journal)]
    account.close()


def test_it_is_told_by_explain(tmp_path: Path, bundle: Path) -> None:
    account = Account(tmp_path, lambda: synthetic(BARS), settings(bundle))
    account.process().run()
    account.close()
    with SqliteJournal(tmp_path / "journal.db") as journal:
        intent = next(one for one in exits(journal) if one.reason.startswith(ExitReason.POLICY))
    story = dict(explain_in([tmp_path / "journal.db"], intent.decision_id, tmp_path).sections)
    assert story["Exit"][0].endswith(intent.reason)


def test_a_bundle_that_can_not_be_asked_does_not_start(tmp_path: Path) -> None:
    plain = bundles.written(tmp_path, instruments=(INSTRUMENT,), timeframes=("3m",))
    with pytest.raises(BundleError, match="ppo.onnx says nothing of exits"):
        run_whole(synthetic(10), settings(plain))
