"""The detector of one timeframe: bar by bar, or over a whole table at once, with the same result."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from smc_trading_agent import _core
from smc_trading_agent._core import Bar, Event, Zone
from smc_trading_agent.domain.errors import AgentError, ConfigError, DataError, SnapshotError
from smc_trading_agent.smc_detector.config import DetectorConfig

if TYPE_CHECKING:
    from smc_trading_agent.smc_detector.detection import Detection

TAG = b"SMCF\x01"
DIGEST = 8


class Saved(msgspec.Struct, frozen=True, array_like=True):
    """What a snapshot holds beside its checksum."""

    tick_size: str
    lot_size: str
    core: bytes


class Detector:
    """Every concept on one timeframe: closed bars in, the facts they made knowable out.

    A fact (`Event`) is appended and never edited; it says when it formed (``formed_at``, the open of the bar it is
    anchored on) and when it became knowable (``confirmed_at``, a bar's close). Its prices are ticks: `config.to_price`
    gives them as decimals. What the kinds mean is in `EVENT_DOCS`; the definitions with their sources are in
    docs/concepts/structure.md and the documentation of crates/smc-core/src/smc.
    """

    def __init__(self, config: DetectorConfig) -> None:
        """A detector that has seen nothing."""
        self._config = config
        self._core = _core.Detector(config.timeframe, config.parameters_json)

    @property
    def config(self) -> DetectorConfig:
        """What it was made with."""
        return self._config

    @property
    def bars_seen(self) -> int:
        """Number of bars taken."""
        return self._core.bars_seen

    def update(self, bar: Bar) -> list[Event]:
        """Takes one closed bar, made by `DetectorConfig.bar` or in ticks; gives what it made knowable, oldest first.

        `DataError` where the bar is of another length or begins before the last one ended; nothing is changed then.
        Time that is missing between two bars is no error.
        """
        try:
            return self._core.update(bar)
        except ValueError as error:
            raise DataError(str(error)) from error

    def run(self, data: object) -> Detection:
        """Takes all bars of a table in one call into the core, which lets other threads run meanwhile.

        The same events as `update` bar by bar, as columns. ``data`` holds one row a bar, oldest first: a time column or
        index (opening times; without a zone UTC) and open, high, low, close, whatever their case; volume (0 without)
        and taker_buy_volume if known. A Polars or pandas frame, an Arrow table, a mapping of arrays, or `Bars`.
        `DataError` names the first row that is no bar, the value and the remedy; nothing is changed then.
        """
        from smc_trading_agent.smc_detector.detection import Detection
        from smc_trading_agent.smc_detector.intake import bars_of

        bars = bars_of(data, self._config)
        before = self._core.snapshot()
        try:
            first_id, columns = self._core.run_columns(bars)
        except ValueError as error:
            raise DataError(str(error)) from error
        return Detection(self._config, bars, first_id, columns, self._core.zones(), before)

    def zones(self) -> list[Zone]:
        """Zones and levels that are live after the last bar, oldest first; prices in ticks."""
        return self._core.zones()

    def features(self) -> NDArray[np.float64]:
        """The features at the last close, shape (len(FEATURE_NAMES),), neutral values before any bar.

        The columns of higher timeframes are neutral: this detector reads one.
        """
        return self._core.features()

    def bias(self, scope: str) -> int:
        """Direction of the last break of structure in ``scope``, "internal" or "swing": +1, -1, or 0 before any.

        `ConfigError` for another scope.
        """
        try:
            return self._core.bias(scope)
        except ValueError as error:
            raise ConfigError(str(error)) from error

    def snapshot(self) -> bytes:
        """The whole state, the configuration included, for `from_snapshot` of the same version."""
        saved = Saved(self._config.tick_size, self._config.lot_size, self._core.snapshot())
        payload = msgspec.msgpack.encode(saved)
        return TAG + _digest(payload) + payload

    @classmethod
    def from_snapshot(cls, data: bytes) -> Detector:
        """Goes on exactly where the snapshot was taken; `SnapshotError` where the bytes are damaged or no snapshot."""
        payload = data[len(TAG) + DIGEST :]
        if data[: len(TAG)] != TAG:
            raise SnapshotError(
                "these bytes are no detector snapshot of this version; run the detector over its bars again"
            )
        if data[len(TAG) : len(TAG) + DIGEST] != _digest(payload):
            raise SnapshotError("the detector snapshot is damaged: its checksum does not match; restore another copy")
        try:
            saved = msgspec.msgpack.decode(payload, type=Saved)
            core = _core.Detector.from_snapshot(saved.core)
            config = DetectorConfig.of_core(core.timeframe, saved.tick_size, saved.lot_size, core.config_json)
        except (ValueError, AgentError) as error:
            raise SnapshotError(str(error)) from error
        made = cls(config)
        made._core = core
        return made

    def __reduce__(self) -> tuple[Any, ...]:
        """For copies and other processes: the snapshot."""
        return Detector.from_snapshot, (self.snapshot(),)


def _digest(payload: bytes) -> bytes:
    return hashlib.blake2b(payload, digest_size=DIGEST).digest()


def detect(data: object, config: DetectorConfig) -> Detection:
    """What a new detector reads in a table: see `Detector.run` for ``data`` and errors, `Detection` for the result."""
    return Detector(config).run(data)
