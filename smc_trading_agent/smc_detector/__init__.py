"""Stage 2: the Python face of the detector, and the proof that it never repaints.

    from smc_trading_agent.smc_detector import DetectorConfig, detect

docs/concepts/detector.md shows how it is used on data of one's own. Polars is imported with the first table.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from smc_trading_agent._core import (
    EVENT_DOCS,
    EVENT_KINDS,
    FEATURE_DOCS,
    FEATURE_NAMES,
    SCOPE_DOCS,
    SCOPES,
    Bar,
    Bars,
    Event,
    Zone,
)
from smc_trading_agent.domain.errors import ConfigError, DataError, SnapshotError
from smc_trading_agent.smc_detector.config import DetectorConfig
from smc_trading_agent.smc_detector.detector import Detector, detect

if TYPE_CHECKING:
    from smc_trading_agent.smc_detector.detection import Detection

__all__ = [
    "EVENT_DOCS",
    "EVENT_KINDS",
    "FEATURE_DOCS",
    "FEATURE_NAMES",
    "SCOPES",
    "SCOPE_DOCS",
    "Bar",
    "Bars",
    "ConfigError",
    "DataError",
    "Detection",
    "Detector",
    "DetectorConfig",
    "Event",
    "SnapshotError",
    "Zone",
    "detect",
]


def __getattr__(name: str) -> Any:
    if name == "Detection":
        from smc_trading_agent.smc_detector.detection import Detection

        return Detection
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
