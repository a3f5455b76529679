"""A training run from data files to findings and a signed bundle; taken up again where it was interrupted."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from smc_trading_agent._core import Bars, timeframe_ns
from smc_trading_agent.config import settings_hash
from smc_trading_agent.decision_engine.training.samples import Floats
from smc_trading_agent.decision_engine.training.settings import TrainingSettings
from smc_trading_agent.domain.clock import Clock
from smc_trading_agent.domain.errors import DataError
from smc_trading_agent.domain.settings import Settings
from smc_trading_agent.persistence.files import write_whole
from smc_trading_agent.research.dataset.following import follow
from smc_trading_agent.research.dataset.pooled import Dataset, pooled, read_market
from smc_trading_agent.research.dataset.store import has_dataset, load_dataset, save_dataset
from smc_trading_agent.research.statistics.trials import TrialLedger
from smc_trading_agent.research.training.commit import commit_of
from smc_trading_agent.research.training.evaluation import Origin, evaluate
from smc_trading_agent.research.training.executors import EXECUTORS, ExecutorName
from smc_trading_agent.research.training.findings import Findings
from smc_trading_agent.research.training.fits import FITS, LEDGER, PLAN, is_fitted
from smc_trading_agent.research.training.plan import PACKAGE, Plan, code_hash, folds_of, tasks_of
from smc_trading_agent.runtime.assembly import cost_model
from smc_trading_agent.runtime.markets import FileOptions, open_file

Progress = Callable[[str, int, int], None]
"""Hears of a stage of the run how much of it is done, and of how much."""


class TrainRequest(msgspec.Struct, frozen=True):
    """What to train, and where. ``state`` is the folder of runs; ``command`` is what a reader types to get the same."""

    data: tuple[Path, ...]
    options: FileOptions
    settings: Settings
    experts: tuple[str, ...]
    seeds: tuple[int, ...]
    groups: int
    sizes: TrainingSettings
    executor: ExecutorName
    workers: int
    state: Path
    fresh: bool
    command: str


class Run(msgspec.Struct, frozen=True):
    """A run whose fits are all made."""

    folder: Path
    plan: Plan
    dataset: Dataset


def fit_run(request: TrainRequest, progress: Progress = lambda *_: None) -> Run:
    """Makes every fit of a run that its folder does not hold yet. Raises `AgentError`."""
    plan = plan_of(request)
    folder = request.state / plan.run
    if request.fresh:
        shutil.rmtree(folder, ignore_errors=True)
    (folder / FITS).mkdir(parents=True, exist_ok=True)
    dataset = _dataset(folder, request, progress)
    write_whole(folder / PLAN, msgspec.json.encode(plan))
    folds_of(dataset, plan)  # refuses before the first fit what can't be split
    _fit_all(folder, plan, request, progress)
    return Run(folder, plan, dataset)


def judge_run(request: TrainRequest, run: Run, clock: Clock, progress: Progress = lambda *_: None) -> Findings:
    """What all fits come to; time taken, weights and bundle are left open."""
    plan, settings = run.plan, request.settings
    ledger = TrialLedger(request.state / LEDGER, clock)
    try:
        counts = ledger.counts()
    finally:
        ledger.close()
    progress("evaluating", 0, 1)
    origin = Origin(
        made_at=clock.now(),
        command=request.command,
        commit=commit_of(PACKAGE.parent),
        settings=told_settings(request, plan),
        margin=settings.decision.models.margin,
        time_limit=plan.embargo,
        costs=cost_model(settings.execution),
    )
    again = recomputer(request, run.dataset)
    findings = evaluate(run.folder, plan, folds_of(run.dataset, plan), run.dataset, counts, origin, again)
    progress("evaluating", 1, 1)
    return findings


def plan_of(request: TrainRequest) -> Plan:
    """The plan that a request comes to."""
    settings = request.settings
    read = json.dumps([settings_hash(settings), msgspec.to_builtins(request.options)], sort_keys=True)
    return Plan(
        experts=request.experts,
        seeds=request.seeds,
        groups=request.groups,
        test_groups=2,
        embargo=settings.decision.time_limit_bars * timeframe_ns(settings.structure.decision_timeframe),
        sizes=request.sizes,
        settings=hashlib.blake2b(read.encode(), digest_size=8).hexdigest(),
        data=tuple(hashlib.sha256(_bytes_of(path)).hexdigest() for path in request.data),
        code=code_hash(),
    )


def told_settings(request: TrainRequest, plan: Plan) -> dict[str, str]:
    """The settings that a reader needs to judge the findings, by name."""
    dumped = request.settings.model_dump(mode="json", include={"structure", "decision", "execution"})
    told = {
        f"{section}.{name}": json.dumps(value) if isinstance(value, dict | list) else str(value)
        for section, values in dumped.items()
        for name, value in values.items()
        if name not in {"models", "take_every_setup", "start_cash", "latency_ms"}
    }
    hours = plan.embargo / timeframe_ns("1h")
    return told | {
        "decision.models.margin": str(request.settings.decision.models.margin),
        "cross-validation": f"{plan.groups} groups, {plan.test_groups} judged, embargo {hours:g} h",
        "models": ", ".join(plan.experts),
        "code": plan.code,
    }


def recomputer(request: TrainRequest, dataset: Dataset) -> Callable[[int], Floats]:
    """A sample's context row again, from its file's bars up to its close alone; NaN where the setup is not found."""
    costs, read = cost_model(request.settings.execution), dict[int, Bars]()
    samples = dataset.samples

    def recompute(row: int) -> Floats:
        market = int(samples.market[row])
        opened = open_file(request.data[market], request.options).market
        if market not in read:
            bars = Bars.concat(list(opened.feed.batches(0)))
            read[market] = bars
        bars = read[market]
        closes = bars.columns()["close_time"]
        known = bars.slice(0, int(np.searchsorted(closes, samples.known_at[row], side="right")))
        again = follow(known, opened.instrument, request.settings, costs)
        rows = {setup.setup_id: found for setup, found in zip(again.setups, again.rows, strict=True)}
        return rows.get(samples.setup_ids[row], np.full(samples.context.shape[1], np.nan))

    return recompute


def _dataset(folder: Path, request: TrainRequest, progress: Progress) -> Dataset:
    if has_dataset(folder):
        return load_dataset(folder)
    markets = [
        read_market(path, request.options, request.settings, partial(progress, f"reading {path.name}"))
        for path in request.data
    ]
    dataset = pooled(markets, cost_model(request.settings.execution))
    save_dataset(dataset, folder)
    return dataset


def _fit_all(folder: Path, plan: Plan, request: TrainRequest, progress: Progress) -> None:
    tasks = tasks_of(plan)
    left = [task for task in tasks if not is_fitted(folder, task)]
    done = len(tasks) - len(left)
    progress("fitting", done, len(tasks))
    if left:
        for _ in EXECUTORS[request.executor](folder, left, request.workers):
            done += 1
            progress("fitting", done, len(tasks))


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} can't be read ({error.strerror or error}); name an existing file with --data"
        ) from error
