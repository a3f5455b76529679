"""How far a long command is, where there is no terminal: a line at the start and at the end of each stage."""

from __future__ import annotations

import io

from rich.console import Console

from smc_trading_agent.cli.progress import StageProgress


def lines(quiet: bool, *steps: tuple[str, int, int]) -> list[str]:
    out = io.StringIO()
    with StageProgress(Console(file=out, width=120), quiet) as progress:
        for step in steps:
            progress(*step)
    return out.getvalue().splitlines()


def test_a_stage_begins_and_ends_with_a_line() -> None:
    told = lines(False, ("fitting", 3, 9), ("fitting", 4, 9), ("fitting", 9, 9), ("evaluating", 0, 1))
    assert [line.split(",")[0] for line in told] == ["fitting: 3 of 9", "fitting: 9 of 9", "evaluating: 0 of 1"]


def test_nothing_is_said_where_quiet() -> None:
    assert lines(True, ("fitting", 0, 9), ("fitting", 9, 9)) == []


def test_a_terminal_gets_a_bar() -> None:
    out = io.StringIO()
    with StageProgress(Console(file=out, force_terminal=True, width=120), False) as progress:
        progress("fitting", 1, 2)
        progress("fitting", 2, 2)
    assert "fitting" in out.getvalue()
    assert "2/2" in out.getvalue()
