"""`smc-agent verify`: proof on your own data that nothing repaints and that two runs are the same run."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import typer
from rich.progress import Progress

from smc_trading_agent._core import Bars
from smc_trading_agent.cli.options import (
    AsJson,
    ConfigFile,
    Context,
    DataFile,
    IgnoreUnknown,
    Inverse,
    LotSize,
    SecondFile,
    Symbol,
    TickSize,
    Timeframe,
    errors_as_exit_codes,
    file_options,
    progress_bar,
    refuse_lone_inverse,
    settings_for,
)
from smc_trading_agent.cli.output import CHECK_FAILED, OK, console, emit
from smc_trading_agent.cli.verify_tables import print_verdict
from smc_trading_agent.domain.clock import monotonic_ns
from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.domain.settings import Settings
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.research.backtest import run_backtest
from smc_trading_agent.research.pair_proof import PairVerdict, joined, verify_pair
from smc_trading_agent.research.pairs import open_pair
from smc_trading_agent.research.prefixes import (
    LegacyVerdict,
    PrefixVerdict,
    sample_prefixes,
    verify_legacy,
    verify_prefixes,
    window_bars,
)
from smc_trading_agent.runtime.assembly import Market
from smc_trading_agent.runtime.markets import open_file

Prefixes = Annotated[str, typer.Option("--prefixes", help="How many prefixes to replay, or all.")]
Window = Annotated[str, typer.Option("--window", help="Replay prefixes of so many bars, the newest, or all.")]
Threads = Annotated[int, typer.Option("--threads", min=0, help="Threads that share the prefixes; 0: one a processor.")]
WithLegacy = Annotated[
    bool, typer.Option("--legacy", help="Count beside it what smartmoneyconcepts' readings rewrite on these prefixes.")
]


def verify(
    data: DataFile,
    second: SecondFile = None,
    inverse: Inverse = False,
    timeframe: Timeframe = None,
    context: Context = None,
    prefixes: Prefixes = "1000",
    window: Window = "20000",
    threads: Threads = 0,
    legacy: WithLegacy = False,
    config: ConfigFile = None,
    symbol: Symbol = "",
    tick_size: TickSize = "",
    lot_size: LotSize = "",
    ignore_unknown: IgnoreUnknown = False,
    as_json: AsJson = False,
) -> None:
    """Replay prefixes of a file and count readings that were rewritten or vanished; 0 or a non-zero exit.

    Each prefix is read by a new analyzer; events, features and live zones are held against one run over the window,
    which is also streamed bar by bar and restored from snapshots; --with adds prefixes of two instruments, for their
    divergences. Then the whole file is run twice through the agent, and both journals must have the same hash.
    """
    with errors_as_exit_codes(as_json):
        refuse_lone_inverse(second, inverse)
        count, bars = _number("--prefixes", prefixes, 1), _number("--window", window, 2)
        opened = open_file(data, file_options(symbol, tick_size, lot_size, ignore_unknown))
        settings = settings_for(config, timeframe, context)
        workers = threads or os.cpu_count() or 1
        decision = settings.structure.decision_timeframe
        pair = None if second is None else open_pair(opened, decision, second, inverse, ignore_unknown)
        sample = sample_prefixes(opened.market.feed.total_bars or 0, bars, count)
        with progress_bar(as_json) as progress:
            replayed = window_bars(opened.market, sample)
            began = monotonic_ns()
            audit = verify_prefixes(
                opened.market, settings.structure, replayed, sample.lengths, workers, _telling(progress, "prefixes")
            )
            divergence: PairVerdict | None = None
            if pair is not None:
                divergence = verify_pair(pair, bars, count, workers, _telling(progress, "prefixes of both"))
                audit = joined(audit, divergence)
            seconds = (monotonic_ns() - began) / 1e9
            peers = _peers(opened.market, replayed, sample.lengths, workers, progress) if legacy else {}
            hashes = [_journal_hash(opened.market, settings, progress, f"run {number} of 2") for number in (1, 2)]
    equal = hashes[0] == hashes[1]
    passed = audit.passed and equal and _twins_stand(peers) and (divergence is None or divergence.passed)
    payload: dict[str, Any] = {
        **msgspec.to_builtins(audit),
        **({} if divergence is None else {"divergence": msgspec.to_builtins(divergence)}),
        **msgspec.to_builtins(peers),
        "journal_hashes_equal": equal,
        "journal_hash": hashes[0],
        "label": opened.label,
        "threads": workers,
        "seconds": seconds,
        "passed": passed,
    }
    _tell(payload, audit, peers, divergence, as_json)
    raise typer.Exit(OK if passed else CHECK_FAILED)


def _tell(
    payload: dict[str, Any],
    audit: PrefixVerdict,
    peers: dict[str, LegacyVerdict],
    divergence: PairVerdict | None,
    as_json: bool,
) -> None:
    if as_json:
        emit(payload, as_json)
        return
    print_verdict(audit, peers, divergence, payload)
    passed = bool(payload["passed"])
    verdict = "nothing was rewritten" if passed else "the detector or the run is not reproducible: this is a bug"
    console.print(verdict, style="green" if passed else "bold red")


def _peers(
    market: Market, replayed: Bars, lengths: tuple[int, ...], threads: int, progress: Progress
) -> dict[str, LegacyVerdict]:
    """The library's functions on the same prefixes, and their causal twins."""
    found = {}
    for name, causal in (("legacy", False), ("legacy_causal", True)):
        told = _telling(progress, name.replace("_", " "))
        found[name] = verify_legacy(market, replayed, lengths, threads, causal, told)
    return found


def _twins_stand(peers: dict[str, LegacyVerdict]) -> bool:
    return all(peer.total.differing == 0 for name, peer in peers.items() if name == "legacy_causal")


def _number(option: str, text: str, least: int) -> int | None:
    """A count, or None for all; `ConfigError` names the option."""
    if text.strip().lower() == "all":
        return None
    digits = text.strip().replace("_", "").replace(",", "")
    if not digits.isdecimal() or int(digits) < least:
        raise ConfigError(f'{option} is {text!r}; give a number from {least} on, or "all"')
    return int(digits)


def _telling(progress: Progress, title: str) -> Callable[[int, int], None]:
    task = progress.add_task(title)
    return lambda done, total: progress.update(task, completed=done, total=total)


def _journal_hash(market: Market, settings: Settings, progress: Progress, title: str) -> str:
    task = progress.add_task(title, total=market.feed.total_bars)
    with SqliteJournal() as journal:
        return run_backtest(market, settings, journal, lambda n: progress.update(task, completed=n))[0].journal_hash
