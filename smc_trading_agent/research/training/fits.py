"""One fit in one process: from the files of the run folder to the fit's own files, with its line in the ledger.

A fit is a pure function of the run folder and its task, so it does not matter which process makes it, or when.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from smc_trading_agent.decision_engine.ensemble.inputs import FEATURE_SCHEMA, Normaliser
from smc_trading_agent.decision_engine.ensemble.manifest import ExpertKind
from smc_trading_agent.decision_engine.training.expert import FittedExpert
from smc_trading_agent.decision_engine.training.normaliser import fit_normaliser
from smc_trading_agent.decision_engine.training.offset import mean_loss
from smc_trading_agent.decision_engine.training.registry import fitters
from smc_trading_agent.decision_engine.training.samples import Floats, Indices, Integers, Labels
from smc_trading_agent.domain.clock import SystemClock, monotonic_ns
from smc_trading_agent.domain.errors import DataError, TrainingError
from smc_trading_agent.persistence.files import write_whole
from smc_trading_agent.research.dataset.pooled import Dataset
from smc_trading_agent.research.dataset.store import load_dataset
from smc_trading_agent.research.statistics.placebos import shuffle_within_blocks
from smc_trading_agent.research.statistics.trials import Trial, TrialLedger, parameters_hash
from smc_trading_agent.research.training.plan import FitTask, Folds, Held, Plan, folds_of

PLAN, FITS, LEDGER = "plan.json", "fits", "trials.db"
SHUFFLE_BLOCK = 20
"""Labels that change places with one another: neighbours in what chance alone gives them."""
NS = 1_000_000_000


class Workplace(NamedTuple):
    """What every fit of a run needs, read once a process."""

    folder: Path
    plan: Plan
    dataset: Dataset
    folds: Folds
    ledger: TrialLedger


class FitResult(msgspec.Struct, frozen=True):
    """A fit that has its files; ``loss`` on the rows it had not seen, in nats a label (0 where it saw all)."""

    task: FitTask
    loss: float
    seconds: float


class StoredExpert(msgspec.Struct, frozen=True):
    """A model fitted on all labels, from its files; see `decision_engine.training.expert.ExportedExpert`."""

    name: str
    kind: ExpertKind
    model: bytes

    def export(self) -> bytes:
        """The file of the bundle."""
        return self.model


def open_workplace(folder: Path) -> Workplace:
    """Reads plan and dataset of a run, and opens the ledger that all runs beside it share."""
    plan = msgspec.json.decode((folder / PLAN).read_bytes(), type=Plan)
    dataset = load_dataset(folder)
    ledger = TrialLedger(folder.parent / LEDGER, SystemClock())
    return Workplace(folder, plan, dataset, folds_of(dataset, plan), ledger)


def is_fitted(folder: Path, task: FitTask) -> bool:
    """Whether a fit came to its end."""
    return (folder / FITS / f"{task.name}.npz").is_file()


def fit(place: Workplace, task: FitTask) -> FitResult:
    """Fits, writes what the fit says of the rows it has not seen, and the model; model first, so a fit is whole."""
    began = monotonic_ns()
    attempt = place.ledger.start(trial_of(place.plan, task))
    try:
        fitted, rows = _fitted(place, task)
        told = fitted.log_odds(place.dataset.samples.take(rows))
        _refuse_numbers(task, told)
        loss = mean_loss(told, place.dataset.labels.outcome[rows], np.ones(len(rows))) if len(rows) else 0.0
        where = place.folder / FITS
        stored = StoredExpert(fitted.name, fitted.kind, fitted.export())
        write_whole(where / f"{task.name}.model", msgspec.msgpack.encode(stored))
        packed = io.BytesIO()
        np.savez(packed, allow_pickle=False, rows=rows, log_odds=told)
        write_whole(where / f"{task.name}.npz", packed.getvalue())
    except Exception as error:
        place.ledger.fail(attempt, f"{type(error).__name__}: {error}")
        raise
    place.ledger.finish(attempt, loss)
    return FitResult(task, loss, (monotonic_ns() - began) / NS)


def trial_of(plan: Plan, task: FitTask) -> Trial:
    """A fit's line in the ledger; data, settings and columns are among its parameters."""
    parameters = {
        "sizes": msgspec.to_builtins(plan.sizes),
        "columns": FEATURE_SCHEMA,
        "settings": plan.settings,
        "data": plan.data,
        "shuffled": task.shuffled,
    }
    return Trial(plan.run, task.expert, parameters_hash(parameters), task.seed, task.fold)


def shuffled_labels(labels: Labels, seed: int) -> Labels:
    """The same labels with outcomes and returns in another order: each changes places with labels of like chance only,
    so what the distances to stop and target say of it stays true, and all else is lost.
    """
    order = np.argsort(labels.chance, kind="stable")
    given = order[shuffle_within_blocks(len(order), SHUFFLE_BLOCK, seed)]
    outcome, net_return = labels.outcome.copy(), labels.net_return.copy()
    outcome[order], net_return[order] = labels.outcome[given], labels.net_return[given]
    return msgspec.structs.replace(labels, outcome=outcome, net_return=net_return)


def normaliser_of(place: Workplace, held: Held) -> Normaliser:
    """The scaling of all fits that hold back the same groups: from their training rows, and from closes apart from what
    they are judged on. Kept in the run folder: it takes longer than many a fit.
    """
    path = _normaliser_file(place.folder, held)
    if path.is_file():
        return msgspec.json.decode(path.read_bytes(), type=Normaliser)
    rows, judged = _rows(place, held)
    dataset = place.dataset
    made = fit_normaliser(dataset.samples.take(rows), dataset.labels.take(rows), _intervals(place, judged))
    write_whole(path, msgspec.json.encode(made))
    return made


def read_log_odds(folder: Path, task: FitTask, samples: int) -> Floats:
    """What a fit said, shape (samples,), NaN of rows that it had seen. `DataError` where its file is damaged."""
    path = folder / FITS / f"{task.name}.npz"
    told = np.full(samples, np.nan)
    try:
        with np.load(path, allow_pickle=False) as packed:
            told[packed["rows"]] = packed["log_odds"]
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise DataError(f"{path} can't be read ({error}); remove it and run the same command again") from error
    return told


def read_final(folder: Path, task: FitTask) -> StoredExpert:
    """A model that was fitted on all labels."""
    try:
        return msgspec.msgpack.decode((folder / FITS / f"{task.name}.model").read_bytes(), type=StoredExpert)
    except (OSError, msgspec.MsgspecError) as error:
        raise DataError(f"{task.name} in {folder} can't be read ({error}); start anew with --fresh") from error


def final_normaliser(folder: Path) -> Normaliser:
    """The scaling that models fitted on all labels were given."""
    return msgspec.json.decode(_normaliser_file(folder, ()).read_bytes(), type=Normaliser)


def _fitted(place: Workplace, task: FitTask) -> tuple[FittedExpert, Indices]:
    """The fitted expert, and the rows that it has to judge."""
    dataset, plan = place.dataset, place.plan
    rows, judged = _rows(place, task.held)
    labels = shuffled_labels(dataset.labels, task.seed) if task.shuffled else dataset.labels
    made = fitters(plan.sizes)[task.expert](
        dataset.samples.take(rows),
        labels.take(rows),
        dataset.trades.take(rows),
        normaliser_of(place, task.held),
        task.seed,
    )
    return made, judged


def _normaliser_file(folder: Path, held: Held) -> Path:
    return folder / FITS / f"normaliser-{'.'.join(map(str, held)) or 'final'}.json"


def _rows(place: Workplace, held: Held) -> tuple[Indices, Indices]:
    """Rows to fit on and rows to judge: all and none where no group is held."""
    everything = np.arange(len(place.dataset), dtype=np.intp)
    return (place.folds.fits[held].train, place.folds.fits[held].test) if held else (everything, everything[:0])


def _intervals(place: Workplace, judged: Indices) -> Integers:
    """First close and last label end of each stretch of rows in a row, (k, 2)."""
    if not len(judged):
        return np.empty((0, 2), dtype=np.int64)
    known, ends = place.dataset.samples.known_at, place.dataset.labels.end
    stretches = np.split(judged, np.flatnonzero(np.diff(judged) > 1) + 1)
    return np.array([(known[rows[0]], ends[rows].max()) for rows in stretches], dtype=np.int64)


def _refuse_numbers(task: FitTask, told: Floats) -> None:
    if not np.isfinite(told).all():
        raise TrainingError(
            f"{task.name} gave {int((~np.isfinite(told)).sum())} log-odds that are no numbers; leave {task.expert} out "
            "with --models, or train with another --seed"
        )
