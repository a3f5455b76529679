"""Typed face of the Rust core, continued: what `smc_trading_agent._core` exports for the proof against repainting.

There is no module of this name; it only holds stubs. Four counts stand together: readings of prefixes that were
compared; of these, how many the whole run has differently (rewritten); how many it does not have (vanished); and
readings of the whole run that a prefix lacked although they stand on its bars (backdated). ``threads`` share the work;
no result depends on their number. ``watch`` hears bars read, of how many; what it raises ends the audit.
"""

from collections.abc import Callable, Sequence

from smc_trading_agent._core import Bars, Instrument

_Four = tuple[int, int, int, int]  # readings, rewritten, vanished, backdated
_Watch = Callable[[int, int], None]

class PrefixAudit:
    """What replaying prefixes found."""

    @property
    def prefixes(self) -> int: ...
    @property
    def bars_read(self) -> int: ...  # over all prefixes
    @property
    def places(self) -> int: ...  # distinct (bar, kind or column) at which at least one prefix differed
    def total(self) -> _Four: ...
    def events(self) -> list[tuple[str, str, _Four]]: ...  # concept, kind
    def columns(self) -> list[tuple[str, _Four]]: ...  # one for each of FEATURE_NAMES, or of the library's columns
    def zones(self) -> list[tuple[str, tuple[int, int, int]]]: ...  # kind; sets of live zones, zones, sets that differ

class ReadingAudit:
    """Holds an Analyzer's readings of parts of ``bars`` against those of one run over all of them."""

    def __init__(
        self,
        instrument: Instrument,
        decision_timeframe: str,
        context_timeframes: Sequence[str],
        config_json: str,
        bars: Bars,
    ) -> None: ...
    def prefixes(self, lengths: Sequence[int], threads: int, watch: _Watch) -> PrefixAudit:
        """Reads bars[:n] for each n of ``lengths`` with a new Analyzer: events, features, live zones at the end."""

    def stream_equals_batch(self, lengths: Sequence[int]) -> bool:
        """Whether one bar at a time reads what one batch reads, and has the same live zones at each of ``lengths``."""

    def restored(self, cuts: Sequence[int]) -> tuple[int, int, int, int]:
        """Restores a snapshot after each of ``cuts`` bars and lets it go on to the end.

        Snapshots restored, readings compared after that, readings that differ, states that differ.
        """

def audit_legacy(
    instrument: Instrument,
    bars: Bars,
    swing_length: int,
    causal: bool,
    lengths: Sequence[int],
    threads: int,
    watch: _Watch,
) -> PrefixAudit:
    """The same for the functions of `smc_detector.compat` with the library's defaults, with or without hindsight."""

def audit_divergence(
    first: Bars, second: Bars, config_json: str, lengths: Sequence[int], threads: int, watch: _Watch
) -> PrefixAudit:
    """The same for `DivergenceDetector`; lengths and bars read are steps, open times at which one of the two has a bar.

    Its columns are the numbers of divergences in force, at highs and at lows of the first instrument."""
