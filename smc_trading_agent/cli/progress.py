"""How far a long command is: bars on a terminal, a line now and then elsewhere."""

from __future__ import annotations

from types import TracebackType

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from smc_trading_agent.domain.clock import monotonic_ns

LINE_EVERY = 10_000_000_000
"""Nanoseconds between two lines of one stage where there is no terminal."""
NS = 1_000_000_000


class StageProgress:
    """Hears `(stage, done, total)` and shows it; a context manager. Silent where ``quiet``."""

    def __init__(self, console: Console, quiet: bool) -> None:
        self._console = console
        self._quiet = quiet
        self._bars: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._stage = ""
        self._began = self._told = self._from = 0
        if console.is_terminal and not quiet:
            columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
            self._bars = Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console)

    def __enter__(self) -> StageProgress:
        if self._bars is not None:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def __call__(self, stage: str, done: int, total: int) -> None:
        """Shows that ``done`` of ``total`` of a stage are done; what was done before the first call took no time."""
        if self._bars is not None:
            if stage not in self._tasks:
                self._tasks[stage] = self._bars.add_task(stage, total=total)
            self._bars.update(self._tasks[stage], completed=done, total=total)
        elif not self._quiet:
            self._line(stage, done, total)

    def _line(self, stage: str, done: int, total: int) -> None:
        now, new = monotonic_ns(), stage != self._stage
        if new:
            self._stage, self._began, self._from = stage, now, done
        if not new and done < total and now - self._told < LINE_EVERY:
            return
        self._told = now
        elapsed = (now - self._began) / NS
        text = f"{stage}: {done:,} of {total:,}, {elapsed:.0f} s"
        if self._from < done < total:
            text += f", about {elapsed / (done - self._from) * (total - done):.0f} s left"
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)
