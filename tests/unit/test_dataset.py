"""Labels after costs, lagged entries, pooling of several markets, and the files in between."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from smc_trading_agent.domain.errors import DataError
from smc_trading_agent.domain.settings import Settings
from smc_trading_agent.research.dataset.following import Followed, follow
from smc_trading_agent.research.dataset.pooled import Dataset, Market, pooled
from smc_trading_agent.research.dataset.store import has_dataset, load_dataset, save_dataset
from smc_trading_agent.research.training.findings import MarketFacts
from smc_trading_agent.runtime.assembly import cost_model
from tests.runs import synthetic, tape

SETTINGS = Settings()
COSTS = cost_model(SETTINGS.execution)


def followed(length: int = 100_000, seed: int = 11) -> Followed:
    return follow(tape(length, seed), synthetic(1, seed=seed).instrument, SETTINGS, COSTS)


def market(given: Followed, name: str) -> Market:
    facts = MarketFacts(
        file=name,
        sha256=name,
        instrument="synthetic:SYNUSDT",
        timeframe="1m",
        bars=0,
        first=0,
        last=0,
        setups=len(given.setups),
        unfilled=len(given.unfilled),
        labels=len(given.endings),
    )
    return Market(facts, facts.instrument, "3m", given)


@pytest.fixture(scope="module")
def first() -> Followed:
    return followed()


@pytest.fixture(scope="module")
def dataset(first: Followed) -> Dataset:
    return pooled([market(first, "a"), market(followed(seed=12), "b")], COSTS)


def test_wins_and_losses_are_what_break_even_weighs(first: Followed) -> None:
    seen = set()
    for setup in first.setups:
        ending = first.endings.get(setup.setup_id)
        if ending is None or 0.0 < ending.outcome < 1.0:
            continue
        seen.add(ending.outcome)
        if ending.outcome == 1.0:
            gain = COSTS.gain_ticks(setup.entry, setup.target) / setup.risk_ticks
            assert ending.net_return == pytest.approx(gain, rel=1e-12)
        else:
            # A gap through the stop loses more.
            assert ending.net_return <= -COSTS.loss_ticks(setup.entry, setup.stop) / setup.risk_ticks + 1e-12
    assert seen == {0.0, 1.0}


def test_labels_begin_at_the_entry_and_end_in_time(first: Followed) -> None:
    assert first.unfilled
    assert not first.unfilled & first.endings.keys()
    for setup in first.setups:
        ending = first.endings.get(setup.setup_id)
        if ending is not None:
            assert setup.detected_at <= ending.start <= ending.end
            assert ending.start <= setup.entry_expires_at
            assert ending.end <= ending.start + setup.time_limit_ns + 60_000_000_000


def test_a_later_entry_is_another_bracket(first: Followed) -> None:
    both = first.late.keys() & first.endings.keys()
    assert len(both) > 30
    assert any(first.late[key].net_return != first.endings[key].net_return for key in both)
    closes = {setup.setup_id: setup.detected_at for setup in first.setups}
    assert all(first.late[key].start >= closes[key] + 180_000_000_000 for key in both)


def test_markets_are_pooled_by_time(dataset: Dataset) -> None:
    samples, labels = dataset.samples, dataset.labels
    assert len(dataset) == len(labels) == sum(facts.labels for facts in dataset.markets)
    assert (np.diff(samples.known_at) >= 0).all()
    assert set(samples.market.tolist()) == {0, 1}
    for row in range(0, len(dataset), 17):
        tape_of = samples.tapes[samples.market[row]]
        assert tape_of.bars[int(samples.position[row])].close_time == samples.known_at[row]
        entered = tape_of.bars.columns()["open_time"][: dataset.trades.first_bar[row] + 1]
        assert entered[:-1].max(initial=0) < labels.start[row]
    assert ((labels.weight > 0.0) & (labels.weight <= 1.0)).all()
    assert labels.break_even.min() > labels.chance.min()


def test_a_dataset_comes_back_from_its_files(dataset: Dataset, tmp_path: Path) -> None:
    assert not has_dataset(tmp_path)
    save_dataset(dataset, tmp_path)
    assert has_dataset(tmp_path)
    again = load_dataset(tmp_path)
    assert again.markets == dataset.markets
    assert again.samples.setup_ids == dataset.samples.setup_ids
    assert np.array_equal(again.samples.context, dataset.samples.context)
    assert np.array_equal(again.late, dataset.late, equal_nan=True)
    for part in ("labels", "trades"):
        ours, theirs = getattr(dataset, part), getattr(again, part)
        assert all(np.array_equal(getattr(ours, name), getattr(theirs, name)) for name in ours.__struct_fields__)
    for ours, theirs in zip(dataset.samples.tapes, again.samples.tapes, strict=True):
        assert np.array_equal(ours.features, theirs.features)
        assert all(np.array_equal(column, theirs.bars.columns()[name]) for name, column in ours.bars.columns().items())


def test_damaged_files_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    save_dataset(dataset, tmp_path)
    (tmp_path / "dataset.npz").write_bytes(b"no archive")
    with pytest.raises(DataError, match="--fresh"):
        load_dataset(tmp_path)


def test_too_few_labels_are_told_with_the_numbers(first: Followed) -> None:
    few = msgspec.structs.replace(first, endings=dict(list(first.endings.items())[:10]))
    with pytest.raises(DataError, match=r"10 labels are too few .* 150 are needed \(tape: 0 bars"):
        pooled([market(few, "tape")], COSTS)


def test_the_same_file_twice_is_refused(first: Followed) -> None:
    with pytest.raises(DataError, match="the same file"):
        pooled([market(first, "a"), msgspec.structs.replace(market(first, "a"))], COSTS)
