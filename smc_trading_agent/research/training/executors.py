"""Where fits run: in a pool of processes on this machine, or on Ray. Each fit is the same wherever it runs."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Literal

from smc_trading_agent.domain.errors import TrainingError
from smc_trading_agent.research.training.fits import FitResult, Workplace, fit, open_workplace
from smc_trading_agent.research.training.plan import FitTask

ExecutorName = Literal["process", "ray"]
Execute = Callable[[Path, Sequence[FitTask], int], Iterator[FitResult]]
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""A process a core and a thread a process; so sums are added up in one order on every machine."""

_places: dict[Path, Workplace] = {}


def execute_in_processes(folder: Path, tasks: Sequence[FitTask], workers: int) -> Iterator[FitResult]:
    """Fits in ``workers`` new processes, in whatever order they end. Raises what a fit raised."""
    os.environ.update(ONE_THREAD)  # before the processes begin: libraries read it once
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(tasks)), context, initializer=_begin)
    try:
        for done in as_completed([pool.submit(_fit_here, folder, task) for task in tasks]):
            yield done.result()
    except BrokenProcessPool as error:
        raise TrainingError(
            "a process that fitted models was ended from outside, most often for want of memory; use fewer --workers, "
            "and run the same command again: what was fitted is kept"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def execute_on_ray(folder: Path, tasks: Sequence[FitTask], workers: int) -> Iterator[FitResult]:
    """The same on Ray, here or on a cluster whose machines all see ``folder``; at most ``workers`` at a time."""
    ray = _ray()
    joined = ray.is_initialized()
    if not joined:
        ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False, configure_logging=False)
    try:
        work = ray.remote(num_cpus=1, runtime_env={"env_vars": ONE_THREAD})(_fit_here)
        waiting = list(tasks)
        running: list[Any] = []
        while waiting or running:
            while waiting and len(running) < workers:
                running.append(work.remote(folder, waiting.pop(0)))
            done, running = ray.wait(running)
            for reference in done:
                yield ray.get(reference)
    finally:
        if not joined:
            ray.shutdown()


EXECUTORS: dict[ExecutorName, Execute] = {"process": execute_in_processes, "ray": execute_on_ray}


def _ray() -> Any:
    try:
        import ray
    except ImportError as error:
        raise TrainingError(
            "--executor ray needs the optional extra ray, which is not installed: run pip install "
            "'smc-trading-agent[ray]', or use --executor process"
        ) from error
    return ray


def _begin() -> None:
    """Ctrl-C is for the process that was started by hand; it ends the others, and they end with it if it is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _fit_here(folder: Path, task: FitTask) -> FitResult:
    if folder not in _places:
        _places[folder] = open_workplace(folder)
    return fit(_places[folder], task)
