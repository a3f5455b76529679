"""Typed face of the Rust core, continued: what `smc_trading_agent._core` exports for `risk_manager.value_at_risk`.

There is no module of this name; it only holds stubs. Money is an integer in the caller's unit, losses are positive,
exact losses are rounded up. ``ValueError`` carries its message and a stable code: ``error.args == (message, code)``.
"""

RETURN_UNIT: int
"""Returns are integers: this many units are 100 %."""

STRESSES: dict[str, tuple[str, dict[str, int], int, bool]]
"""Of each stress its source, moves by asset and the move of all others in basis points, and whether each position is
moved against itself."""

class RiskAssessment:
    """The risk of a book with an order in it, beside that of the book alone."""

    @property
    def value_at_risk(self) -> int: ...  # historical
    @property
    def value_at_risk_before(self) -> int: ...
    @property
    def shortfall(self) -> int: ...  # historical
    @property
    def shortfall_before(self) -> int: ...
    @property
    def marginal(self) -> int: ...  # value_at_risk - value_at_risk_before
    @property
    def marginal_shortfall(self) -> int: ...
    @property
    def parametric(self) -> float: ...  # delta-normal, covariances of the window
    @property
    def ewma(self) -> float: ...  # delta-normal, exponentially weighted covariances
    @property
    def worst_stress(self) -> str: ...
    @property
    def stress_loss(self) -> int: ...
    @property
    def scenarios(self) -> int: ...
    @property
    def uncovered(self) -> int: ...  # notional of instruments without a return in every scenario
    @property
    def data_time(self) -> int: ...  # close of the newest bar, ns

class RiskBook:
    """Positions in several instruments against the scenarios of their closes; crates/smc-core/src/risk has the rules.

    ``instruments`` are pairs of key and asset, such as ("binance:BTCUSDT", "BTC")."""

    def __init__(
        self,
        instruments: list[tuple[str, str]],
        window: int,
        min_scenarios: int,
        horizon: int,
        confidence: float,
        shortfall_confidence: float,
        decay: float,
        max_age_ns: int,
        unknown_loss: float,
    ) -> None: ...
    def on_bar(self, time: int, closes: dict[str, int]) -> None:
        """Takes the closes of one bar in ticks; an instrument left out counts as unchanged."""

    def assess(self, positions: dict[str, int], instrument: str, notional: int, now: int) -> RiskAssessment:
        """The risk of signed notionals with an order of one more."""

    def stress_losses(self, positions: dict[str, int], instrument: str, notional: int) -> list[tuple[str, int]]:
        """Loss in every stress, in the order of `STRESSES`."""

    def clusters(
        self, positions: dict[str, int], instrument: str, notional: int, threshold: float
    ) -> list[tuple[list[str], int]]:
        """Groups of what would be held, linked at the threshold or above, each with its sum of absolute notionals."""

    def correlation(self) -> list[list[float]]:
        """Shrunk correlations of one-bar returns; 1 wherever they can't be known."""

    @property
    def shrinkage(self) -> float: ...  # weight of the constant correlation
    @property
    def scenarios(self) -> int: ...
    @property
    def rows(self) -> int: ...  # scenarios so far, those that left the window included
    @property
    def newest(self) -> int | None: ...  # close of the newest bar, ns
    def newest_return(self, instrument: str) -> int | None:
        """Return of the newest scenario, in `RETURN_UNIT`ths."""

    def returns(self, instrument: str) -> list[int]:
        """Returns of all scenarios, oldest first, in `RETURN_UNIT`ths."""

    def snapshot(self) -> bytes: ...
    @staticmethod
    def from_snapshot(data: bytes) -> RiskBook: ...

def shrunk_correlation(columns: list[list[float]]) -> tuple[list[list[float]], float] | None:
    """Correlations of columns shrunk to their mean, and the target's weight; Ledoit and Wolf, 2004. None where a column
    never moves or there are fewer than two rows."""

def var_rank(scenarios: int, confidence: float) -> int:
    """Which of the scenarios, counted from the worst, value at risk is read from."""
