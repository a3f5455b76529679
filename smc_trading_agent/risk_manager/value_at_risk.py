"""Value at risk of the whole book on every order, in a microsecond or two, and whether its forecasts have been right.

Figures come from the core (crates/smc-core/src/risk); docs/concepts/risk/value_at_risk.md defines them. What can't be
judged raises `RiskUnavailable`, whose ``code`` says why: the gateway then refuses.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from smc_trading_agent._core import RETURN_UNIT, RiskAssessment, RiskBook
from smc_trading_agent.domain.clock import Clock
from smc_trading_agent.domain.errors import RiskUnavailable, SnapshotError
from smc_trading_agent.risk_manager.var_backtest import ForecastRecord, Verdict, verdict_of

Assessment = RiskAssessment


class ValueAtRiskSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How risk is measured.

    ``window`` scenarios of ``horizon`` bars each, no figure below ``min_scenarios``. ``unknown_loss`` is the share of
    its notional that an instrument without a return in every scenario is taken to lose. ``tested`` forecasts are kept
    to judge the model by.
    """

    window: int = 1_000
    min_scenarios: int = 250
    horizon: int = 1
    confidence: float = 0.99
    shortfall_confidence: float = 0.975
    decay: float = 0.94
    max_age_ns: int = 600_000_000_000
    unknown_loss: float = 0.7
    tested: int = 250


class Forecast(msgspec.Struct, frozen=True):
    """A standing book's value at risk, in units of money, and the scenario count at which it is due."""

    value_at_risk: int
    positions: dict[str, int]
    due: int


class Saved(msgspec.Struct, frozen=True, array_like=True):
    """What a snapshot holds."""

    settings: ValueAtRiskSettings
    instruments: dict[str, str]
    book: bytes
    positions: dict[str, int]
    pending: Forecast | None
    record: ForecastRecord


class ValueAtRisk:
    """The risk of positions in ``instruments``, which maps each key to its asset, such as ``BTC``.

    Notionals are signed integers in one unit of money of the caller's choice, the same for all instruments; cents of
    the quote currency hold a gross notional of 900 million exactly.
    """

    def __init__(self, instruments: Mapping[str, str], settings: ValueAtRiskSettings, clock: Clock) -> None:
        """A book that has seen no close; `RiskUnavailable` where a setting is out of range."""
        self._settings = settings
        self._instruments = dict(instruments)
        self._clock = clock
        self._positions: dict[str, int] = {}
        self._pending: Forecast | None = None
        self._record = ForecastRecord(settings.confidence, settings.tested)
        try:
            self._book = RiskBook(
                list(self._instruments.items()),
                settings.window,
                settings.min_scenarios,
                settings.horizon,
                settings.confidence,
                settings.shortfall_confidence,
                settings.decay,
                settings.max_age_ns,
                settings.unknown_loss,
            )
        except (ValueError, TypeError, OverflowError) as error:
            raise _unavailable(error) from error

    @property
    def scenarios(self) -> int:
        """Scenarios that figures rest on now."""
        return self._book.scenarios

    @property
    def rows(self) -> int:
        """Scenarios so far, those that left the window included."""
        return self._book.rows

    @property
    def newest(self) -> int:
        """Close of the newest bar, ns; 0 before any."""
        return self._book.newest or 0

    @property
    def shrinkage(self) -> float:
        """Weight of the constant correlation among the correlations, in [0, 1]."""
        return self._book.shrinkage

    @property
    def record(self) -> ForecastRecord:
        """Forecasts that came due, and their outcomes."""
        return self._record

    @property
    def verdict(self) -> Verdict:
        """What the tests say of the forecasts so far, and by how much limits are to be tightened."""
        return verdict_of(self._record)

    def stand(self, positions: Mapping[str, int]) -> None:
        """What is held from here on: the next forecast that is tested is of this, in place of the last `assess`."""
        self._positions = dict(positions)

    def on_bar(self, time: int, closes: Mapping[str, int]) -> None:
        """Takes the closes in ticks of a bar that ended at ``time``; an instrument left out counts as unchanged.

        A forecast that came due is set beside its outcome, and the next one made for the positions of the last
        `assess`. `RiskUnavailable` where a close is no price or wild, or the bar out of order; nothing is changed then.
        """
        try:
            self._book.on_bar(time, dict(closes))
        except (ValueError, TypeError, OverflowError) as error:
            raise _unavailable(error) from error
        self._judge_forecast()

    def work_ahead(self) -> None:
        """Correlations are worked out when first asked for after a bar: here and now, not in an order's path."""
        _ = self._book.shrinkage

    def assess(self, positions: Mapping[str, int], instrument: str, notional: int) -> Assessment:
        """The risk of ``positions`` with an order of ``notional`` more in ``instrument``, beside that without it.

        ``positions`` are signed notionals; open and unknown orders belong in them at their worst. `RiskUnavailable`
        where there are too few scenarios, a close is stale, a name unknown, or a number none.
        """
        held = positions if type(positions) is dict else dict(positions)
        try:
            assessment = self._book.assess(held, instrument, notional, self._clock.now())
        except (ValueError, TypeError, OverflowError) as error:
            raise _unavailable(error) from error
        self._positions = dict(held)
        return assessment

    def newest_profit(self, positions: Mapping[str, int]) -> int:
        """What positions made in the newest scenario, in units of money times `RETURN_UNIT`; 0 before any."""
        try:
            return sum(notional * (self._book.newest_return(key) or 0) for key, notional in positions.items())
        except (ValueError, TypeError) as error:
            raise _unavailable(error) from error

    def stress_losses(self, positions: Mapping[str, int], instrument: str, notional: int) -> dict[str, int]:
        """Loss by name in every stress, with the order."""
        try:
            return dict(self._book.stress_losses(dict(positions), instrument, notional))
        except (ValueError, TypeError, OverflowError) as error:
            raise _unavailable(error) from error

    def clusters(
        self, positions: Mapping[str, int], instrument: str, notional: int, threshold: float
    ) -> list[tuple[list[str], int]]:
        """Groups of instruments linked at a correlation of ``threshold`` or more, each with its exposure.

        Exposure is the sum of absolute notionals with the order. An instrument without a return in every scenario is
        linked to all.
        """
        if not -1.0 <= threshold <= 1.0:
            raise RiskUnavailable(f"a correlation of {threshold} can't be reached; give one in [-1, 1]", "setting")
        try:
            return self._book.clusters(dict(positions), instrument, notional, threshold)
        except (ValueError, TypeError, OverflowError) as error:
            raise _unavailable(error) from error

    def correlation(self) -> dict[str, dict[str, float]]:
        """Shrunk correlations of one-bar returns by pair; 1 wherever they can't be known."""
        names = list(self._instruments)
        matrix = self._book.correlation()
        return {name: dict(zip(names, row, strict=True)) for name, row in zip(names, matrix, strict=True)}

    def snapshot(self) -> bytes:
        """The whole state."""
        saved = Saved(
            self._settings, self._instruments, self._book.snapshot(), self._positions, self._pending, self._record
        )
        return msgspec.msgpack.encode(saved)

    def restore(self, data: bytes) -> None:
        """Takes over a state that was saved under the same settings and instruments; `SnapshotError` otherwise."""
        try:
            saved = msgspec.msgpack.decode(data, type=Saved)
            book = RiskBook.from_snapshot(saved.book)
        except (msgspec.DecodeError, ValueError) as error:
            raise SnapshotError(f"not a usable snapshot of value at risk: {error}; feed the closes again") from error
        if (saved.settings, saved.instruments) != (self._settings, self._instruments):
            raise SnapshotError(
                "the snapshot of value at risk was taken with other settings or instruments; feed the closes again"
            )
        self._book, self._positions, self._pending = book, saved.positions, saved.pending
        self._record = saved.record

    def _judge_forecast(self) -> None:
        rows = self._book.rows
        due = self._pending
        if due is not None and due.due <= rows:
            self._record.add(-self.newest_profit(due.positions) > due.value_at_risk * RETURN_UNIT)
            self._pending = due = None
        if due is None and any(self._positions.values()) and self._book.scenarios >= self._settings.min_scenarios:
            self._pending = self._forecast(rows)

    def _forecast(self, rows: int) -> Forecast | None:
        """None where the book can't be judged now: no forecast was given, so none is tested."""
        held = {key: notional for key, notional in self._positions.items() if notional}
        try:
            seen = self._book.assess(held, next(iter(held)), 0, self._book.newest or 0)
        except ValueError:
            return None
        return Forecast(seen.value_at_risk, held, rows + self._settings.horizon)


QUOTES = ("USDT", "USDC", "BUSD", "USD", "EUR")


def asset_of(symbol: str) -> str:
    """What a symbol is a price of: ``BTC`` of ``BTCUSDT``."""
    return next((symbol.removesuffix(quote) for quote in QUOTES if symbol.endswith(quote)), symbol)


def _unavailable(error: Exception) -> RiskUnavailable:
    if isinstance(error, ValueError) and len(error.args) == 2:
        message, code = error.args
        return RiskUnavailable(str(message), str(code))
    return RiskUnavailable(f"risk can't be judged: {error}; give integers of 64 bits and names as text", "not_a_number")
