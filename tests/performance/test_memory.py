"""What the agent remembers does not grow with the market it has seen: sizes of its states, counted in bytes."""

from __future__ import annotations

import statistics

from smc_trading_agent._core import Analyzer
from smc_trading_agent.data_pipeline.instruments import SYNTHETIC, instrument_named
from smc_trading_agent.monitoring.views import ViewStore
from smc_trading_agent.persistence.journal import SqliteJournal
from tests.runs import assembled, eager, synthetic, tape

BARS = 200_000
SAMPLES = 40


def test_an_analyzers_state_is_bounded_over_all_its_timeframes() -> None:
    bars, sizes = tape(BARS), []
    analyzer = Analyzer(instrument_named(SYNTHETIC, "SYNUSDT"), "1m", "3m", ["15m", "1h"])
    for start in range(0, BARS, BARS // SAMPLES):
        piece, position = bars.slice(start, start + BARS // SAMPLES), 0
        while position < len(piece):
            position = analyzer.advance(piece, position).end
        sizes.append(len(analyzer.snapshot()))
    early, late = sizes[SAMPLES // 4 : SAMPLES // 2], sizes[-SAMPLES // 4 :]
    assert statistics.median(late) < 1.3 * statistics.median(early)
    assert max(late) < 2 * max(early)


def test_the_whole_agents_state_grows_only_by_the_trades_that_it_remembers() -> None:
    """Fill ids are kept for ever, decisions and orders by the thousand: some hundred bytes a trade, none a bar."""
    states, trades = [], []
    with SqliteJournal() as journal:
        market = synthetic(80_000, batch=4_096)
        views = ViewStore(market.instrument)
        assembly, runner = assembled(market, eager(), journal, None, [views])

        def note(cursor: int) -> bool:
            if cursor % (5 * 4_096) == 0:
                states.append(len(assembly.coordinator.state()))
                trades.append(views.read().counts.trades)
            return False

        runner.run(lambda: note(runner.cursor))
    assert trades[-1] > trades[0] > 10
    assert states[-1] - states[0] < 4_000 * (trades[-1] - trades[0]) + 60_000
