"""A dataset as files that a worker process can open: arrays without pickles, bars as Parquet, facts as JSON."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec
import numpy as np
import polars as pl

from smc_trading_agent._core import Bar, Bars
from smc_trading_agent.decision_engine.training.samples import Labels, Samples, Tape, Trades
from smc_trading_agent.domain.errors import DataError
from smc_trading_agent.persistence.files import write_whole
from smc_trading_agent.research.dataset.pooled import Dataset
from smc_trading_agent.research.training.findings import MarketFacts

ARRAYS, FACTS = "dataset.npz", "dataset.json"
SAMPLE_ARRAYS = ("context", "market", "position", "side", "known_at")


class TapeFacts(msgspec.Struct, frozen=True):
    """What of a tape is no array."""

    instrument: str
    timeframe: str
    data_sha256: str


class StoredFacts(msgspec.Struct, frozen=True):
    """The file ``dataset.json``."""

    markets: tuple[MarketFacts, ...]
    tapes: tuple[TapeFacts, ...]


def save_dataset(dataset: Dataset, folder: Path) -> None:
    """Writes the dataset into ``folder``, each file whole or not at all, the one that names the others last."""
    samples = dataset.samples
    arrays = {f"samples.{name}": getattr(samples, name) for name in SAMPLE_ARRAYS}
    arrays |= {f"labels.{name}": getattr(dataset.labels, name) for name in Labels.__struct_fields__}
    arrays |= {f"trades.{name}": getattr(dataset.trades, name) for name in Trades.__struct_fields__}
    arrays |= {f"features.{place}": tape.features for place, tape in enumerate(samples.tapes)}
    arrays |= {"setup_ids": np.array(samples.setup_ids, dtype=np.str_), "late": dataset.late}
    for place, tape in enumerate(samples.tapes):
        table = io.BytesIO()
        pl.DataFrame(tape.bars.columns()).write_parquet(table)
        write_whole(folder / _bars_file(place), table.getvalue())
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **arrays)
    write_whole(folder / ARRAYS, packed.getvalue())
    tapes = tuple(TapeFacts(tape.instrument, tape.timeframe, tape.data_sha256) for tape in samples.tapes)
    write_whole(folder / FACTS, msgspec.json.encode(StoredFacts(dataset.markets, tapes)))


def has_dataset(folder: Path) -> bool:
    """Whether `save_dataset` came to its end in ``folder``."""
    return (folder / FACTS).is_file()


def load_dataset(folder: Path) -> Dataset:
    """Reads `save_dataset`; raises `DataError` where the files can't be read."""
    try:
        facts = msgspec.json.decode((folder / FACTS).read_bytes(), type=StoredFacts)
        with np.load(folder / ARRAYS, allow_pickle=False) as packed:
            arrays = {name: packed[name] for name in packed.files}
        bars = [_bars(folder / _bars_file(place), tape.timeframe) for place, tape in enumerate(facts.tapes)]
        tapes = tuple(
            Tape(tape.instrument, tape.timeframe, tape.data_sha256, bars[place], arrays[f"features.{place}"])
            for place, tape in enumerate(facts.tapes)
        )
        return Dataset(
            samples=Samples(
                tapes=tapes,
                setup_ids=tuple(arrays["setup_ids"].tolist()),
                **{name: arrays[f"samples.{name}"] for name in SAMPLE_ARRAYS},
            ),
            labels=Labels(**{name: arrays[f"labels.{name}"] for name in Labels.__struct_fields__}),
            trades=Trades(**{name: arrays[f"trades.{name}"] for name in Trades.__struct_fields__}),
            late=arrays["late"],
            markets=facts.markets,
        )
    except (OSError, ValueError, KeyError, msgspec.MsgspecError, pl.exceptions.PolarsError) as error:
        raise DataError(f"the dataset in {folder} can't be read ({error}); start anew with --fresh") from error


def _bars_file(place: int) -> str:
    return f"bars-{place}.parquet"


def _bars(path: Path, timeframe: str) -> Bars:
    rows = pl.read_parquet(path).iter_rows(named=True)
    return Bars.from_list(timeframe, [Bar(**row) for row in rows])
