"""Several markets as one set of samples in order of time, with labels, brackets and where everything came from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import numpy as np

from smc_trading_agent._core import Bars
from smc_trading_agent.decision_engine.ensemble.inputs import CONTEXT_COLUMNS
from smc_trading_agent.decision_engine.training.samples import Floats, Labels, Samples, Tape, Trades
from smc_trading_agent.domain.costs import CostModel
from smc_trading_agent.domain.errors import DataError
from smc_trading_agent.domain.settings import Settings
from smc_trading_agent.domain.types import Setup
from smc_trading_agent.research.dataset.following import Ending, Followed, follow
from smc_trading_agent.research.statistics.splits import uniqueness_weights
from smc_trading_agent.research.training.findings import MarketFacts
from smc_trading_agent.runtime.assembly import cost_model
from smc_trading_agent.runtime.markets import FileOptions, open_file

LEAST_LABELS = 150
"""Below this nothing can be fitted, calibrated and judged apart."""


class Dataset(msgspec.Struct, frozen=True):
    """n labelled setups of all markets, by rising close. ``late`` (n,): net return in R when entered one decision bar
    later, NaN where that entry was not possible or never filled.
    """

    samples: Samples
    labels: Labels
    trades: Trades
    late: Floats
    markets: tuple[MarketFacts, ...]

    def __len__(self) -> int:
        return len(self.samples)


class Market(msgspec.Struct, frozen=True):
    """One data file after it was gone through."""

    facts: MarketFacts
    instrument: str
    decision_timeframe: str
    followed: Followed


def read_market(
    path: Path, options: FileOptions, settings: Settings, progress: Callable[[int, int], None] = lambda *_: None
) -> Market:
    """Reads a file and follows its setups; ``progress`` hears bars done and bars in all. Raises `DataError`."""
    opened = open_file(path, options)
    instrument = opened.market.instrument
    bars = Bars.concat(list(opened.market.feed.batches(0)))
    total = len(bars)
    followed = follow(bars, instrument, settings, cost_model(settings.execution), lambda done: progress(done, total))
    facts = MarketFacts(
        file=path.name,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        instrument=instrument.key,
        timeframe=settings.structure.decision_timeframe,
        bars=len(followed.bars),
        first=bars[0].open_time,
        last=bars[total - 1].close_time,
        setups=len(followed.setups),
        unfilled=len(followed.unfilled),
        labels=len(followed.endings),
        label=opened.label,
    )
    return Market(facts, instrument.key, settings.structure.decision_timeframe, followed)


def pooled(markets: Sequence[Market], costs: CostModel) -> Dataset:
    """One dataset of all markets' labelled setups. Raises `DataError` for a file named twice, or too few labels."""
    _check(markets)
    found = [
        (setup, market, place)
        for market, given in enumerate(markets)
        for place, setup in enumerate(given.followed.setups)
        if setup.setup_id in given.followed.endings
    ]
    found.sort(key=lambda row: (row[0].detected_at, row[1], row[2]))
    setups = [setup for setup, _, _ in found]
    endings = [markets[market].followed.endings[setup.setup_id] for setup, market, _ in found]
    late = [markets[market].followed.late.get(setup.setup_id) for setup, market, _ in found]
    tapes = tuple(_tape(market) for market in markets)
    samples = Samples(
        tapes=tapes,
        setup_ids=tuple(setup.setup_id for setup in setups),
        context=np.array([markets[market].followed.rows[place] for _, market, place in found]),
        market=np.array([market for _, market, _ in found], dtype=np.intp),
        position=np.array([markets[market].followed.positions[place] for _, market, place in found], dtype=np.intp),
        side=np.array([setup.side for setup in setups], dtype=np.int64),
        known_at=np.array([setup.detected_at for setup in setups], dtype=np.int64),
    )
    return Dataset(
        samples=samples,
        labels=_labels(samples, endings),
        trades=_trades(samples, setups, endings, costs),
        late=np.array([np.nan if ending is None else ending.net_return for ending in late]),
        markets=tuple(market.facts for market in markets),
    )


def _check(markets: Sequence[Market]) -> None:
    seen: dict[str, str] = {}
    for market in markets:
        facts = market.facts
        if facts.sha256 in seen:
            raise DataError(f"{facts.file} and {seen[facts.sha256]} are the same file; name it once")
        seen[facts.sha256] = facts.file
    labels = sum(market.facts.labels for market in markets)
    if labels < LEAST_LABELS:
        told = "; ".join(
            f"{market.facts.file}: {market.facts.bars:,} bars, {market.facts.setups} setups, "
            f"{market.facts.unfilled} never filled, {market.facts.labels} labels"
            for market in markets
        )
        raise DataError(
            f"{labels} labels are too few to fit and to judge models, {LEAST_LABELS} are needed ({told}); give more "
            "data with --data, a shorter --timeframe, or wider limits of the settings under decision"
        )


def _tape(market: Market) -> Tape:
    return Tape(
        instrument=market.instrument,
        timeframe=market.decision_timeframe,
        data_sha256=market.facts.sha256,
        bars=market.followed.bars,
        features=market.followed.features,
    )


def _labels(samples: Samples, endings: Sequence[Ending]) -> Labels:
    ends = np.array([ending.end for ending in endings], dtype=np.int64)
    return Labels(
        start=np.array([ending.start for ending in endings], dtype=np.int64),
        end=ends,
        outcome=np.array([ending.outcome for ending in endings]),
        net_return=np.array([ending.net_return for ending in endings]),
        break_even=samples.context[:, CONTEXT_COLUMNS.index("break_even")].copy(),
        chance=samples.context[:, CONTEXT_COLUMNS.index("chance")].copy(),
        # A label lives from the close at which its row is known; entries in between change no order.
        weight=uniqueness_weights(samples.known_at, ends),
    )


def _trades(samples: Samples, setups: Sequence[Setup], endings: Sequence[Ending], costs: CostModel) -> Trades:
    opens = [tape.bars.columns()["open_time"] for tape in samples.tapes]
    starts = [ending.start for ending in endings]
    first = [np.searchsorted(opens[market], start) for market, start in zip(samples.market, starts, strict=True)]
    trip = [(costs.maker_ticks(setup.entry) + costs.taker_ticks(setup.entry)) / setup.risk_ticks for setup in setups]
    return Trades(
        first_bar=np.array(first, dtype=np.int64),
        entry=np.array([setup.entry for setup in setups], dtype=np.int64),
        stop=np.array([setup.stop for setup in setups], dtype=np.int64),
        target=np.array([setup.target for setup in setups], dtype=np.int64),
        deadline=np.array(
            [start + setup.time_limit_ns for start, setup in zip(starts, setups, strict=True)], dtype=np.int64
        ),
        cost=np.array(trip),
    )
