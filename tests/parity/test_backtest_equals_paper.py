"""One engine: over the same tape a backtest and the paper agent give the same orders and the same journal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from smc_trading_agent.data_pipeline.replay import ReplayFeed
from smc_trading_agent.domain.settings import Settings, StructureSettings
from smc_trading_agent.monitoring.health import AgentState
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.research.backtest import BacktestResult, run_backtest
from smc_trading_agent.runtime.agent import Agent
from smc_trading_agent.runtime.markets import FileOptions, OpenedMarket, Pace, open_file, open_synthetic
from smc_trading_agent.runtime.state_dir import StateDir
from tests.runs import SEED, eager

SYNTHETIC_BARS = 20_000
RECORDED_BARS = 43_200
END_S = 60.0


def backtest(opened: OpenedMarket, settings: Settings) -> BacktestResult:
    with SqliteJournal() as journal:
        return run_backtest(opened.market, settings, journal)[0]


def paper(opened: OpenedMarket, settings: Settings, folder: Path) -> Agent:
    """The agent as `smc-agent run` makes it, flat out, to the end of its tape; stopped."""
    state = StateDir(folder, f"paper {opened.market.feed.market}", durable=False)
    agent = Agent(settings, opened, state, Pace(None), None)
    agent.recover()
    agent.start()
    assert agent.ended.wait(END_S)
    assert agent.status().state is AgentState.FINISHED, agent.status().error
    agent.stop()
    return agent


def assert_the_same(result: BacktestResult, agent: Agent) -> None:
    assert result.trades > 5
    assert agent.orders_hash == result.orders_hash
    assert agent.status().journal_hash == result.journal_hash
    assert agent.cursor == result.bars
    account = agent.assembly.engine.account(agent.assembly.coordinator.last_close)
    assert agent.instrument.format_quote(account.equity) == result.end_equity
    assert agent.assembly.venue.position == account.position


@pytest.fixture
def recorded(shared_data: Path, tmp_path: Path) -> Path:
    """Thirty days of recorded 1-minute candles, in a file of their own."""
    source = shared_data / "crypto_klines" / "binance_spot_BTCUSDT_1m.parquet"
    file = tmp_path / "binance_spot_BTCUSDT_1m.parquet"
    pl.scan_parquet(source).slice(400_000, RECORDED_BARS).collect().write_parquet(file)
    return file


def test_on_the_synthetic_market(tmp_path: Path) -> None:
    settings = eager(time_limit_bars=40)

    def opened() -> OpenedMarket:
        return open_synthetic(Settings().synthetic, SYNTHETIC_BARS)

    assert_the_same(backtest(opened(), settings), paper(opened(), settings, tmp_path))


@pytest.mark.parametrize(
    "structure",
    [StructureSettings(), StructureSettings(decision_timeframe="15m", context_timeframes=("1h", "4h"))],
    ids=["3m", "15m"],
)
def test_on_recorded_candles(recorded: Path, tmp_path: Path, structure: StructureSettings) -> None:
    settings = eager(time_limit_bars=40).model_copy(update={"structure": structure})
    result = backtest(open_file(recorded, FileOptions()), settings)
    assert_the_same(result, paper(open_file(recorded, FileOptions()), settings, tmp_path / "state"))


@pytest.mark.parametrize(
    "market",
    [
        lambda: open_synthetic(Settings().synthetic, SYNTHETIC_BARS),
        lambda: open_synthetic(Settings().synthetic.model_copy(update={"seed": SEED}), SYNTHETIC_BARS),
    ],
)
def test_two_backtests_are_one(market: Callable[[], OpenedMarket]) -> None:
    first, second = backtest(market(), eager()), backtest(market(), eager())
    assert first.journal_hash == second.journal_hash
    assert first.orders_hash == second.orders_hash
    assert first.random_entries == second.random_entries


def test_other_data_give_another_journal() -> None:
    plain = Settings().synthetic
    results = [
        backtest(open_synthetic(plain.model_copy(update={"seed": seed}), 6_000), eager()) for seed in (7, 11, 61)
    ]
    assert len({result.journal_hash for result in results}) == 3
    assert len({result.orders_hash for result in results}) == 3


def test_two_recorded_files_read_twice_are_one(recorded: Path) -> None:
    assert ReplayFeed.open(recorded).market == ReplayFeed.open(recorded).market
    first, second = (backtest(open_file(recorded, FileOptions()), eager()) for _ in range(2))
    assert first.journal_hash == second.journal_hash
    assert first.decisions > 0
