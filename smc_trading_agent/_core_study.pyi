"""Typed face of the Rust core, continued: what `smc_trading_agent._core` exports for `research.base_rates`.

There is no module of this name; it only holds stubs.
"""

from smc_trading_agent._core import Bars

DETECTOR_DEFAULTS: str
"""Every parameter of the detector with its default, as JSON in the shape of the setting `structure.detector`."""

AREA_KINDS: tuple[str, ...]
"""The kinds of which each record makes a zone: prices between which orders are said to rest."""

LEVEL_KINDS: tuple[str, ...]
"""The kinds of which each record makes a level: a price beyond which stops are said to rest."""

class HitCount:
    """What became of the records of one kind and scope; crates/smc-core/src/study/ has the rules.

    ``found`` is the sum of untested, untouched, hits, misses and unresolved."""

    @property
    def kind(self) -> str: ...
    @property
    def scope(self) -> str: ...
    @property
    def test(self) -> str: ...  # "from_close" or "from_touch"
    @property
    def found(self) -> int: ...
    @property
    def untested(self) -> int: ...  # confirmed before the ATR was warm, or zones without height
    @property
    def untouched(self) -> int: ...  # zones that price did not come back to
    @property
    def hits(self) -> int: ...
    @property
    def misses(self) -> int: ...
    @property
    def ambiguous(self) -> int: ...  # the misses whose order inside a bar is not known
    @property
    def unresolved(self) -> int: ...  # neither price within the time limit
    @property
    def effective(self) -> float: ...  # hits and misses, as a number of independent ones

def hit_counts(
    bars: Bars, config_json: str = "{}", atr_multiple: float = 1.0, time_limit: int = 500, block: int = 200
) -> list[HitCount]:
    """Runs the detector over the bars and counts what its records were followed by, in order of kind and scope.

    Lengths in bars. ValueError names a parameter or setting outside its range. Releases the interpreter's lock."""

def divergence_counts(
    first: Bars,
    second: Bars,
    config_json: str = "{}",
    atr_period: int = 14,
    atr_multiple: float = 1.0,
    time_limit: int = 500,
    block: int = 200,
) -> list[HitCount]:
    """The same for `DivergenceDetector` over two instruments' bars; what follows is looked for on the first one's."""

def surrogate_bars(bars: Bars, kind: str, seed: int, number: int) -> Bars:
    """The same bars without their order ("shuffled") or only without their direction ("mirrored"), at the same times.

    The same arguments give the same bars. Releases the interpreter's lock."""

def aggregate_bars(bars: Bars, timeframe: str) -> Bars:
    """The closed bars of a larger timeframe; ValueError where it is no multiple."""
