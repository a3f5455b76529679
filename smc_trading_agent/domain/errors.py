"""Every failure that is expected, as a type. The message names the thing, the value and the remedy.

AgentError
├── BundleError          a model bundle, or a key for one, can't be trusted, read or used here
├── GateClosed           what was found of a bundle does not meet the conditions for promoting it
├── ConfigError          a setting is unknown, missing or out of range
│   └── LimitsLoosened      a limit would allow more than before, and nobody said why
├── DataError            a file, feed or frame can't be used as market data
├── SnapshotError        bytes are no snapshot that can be gone on from
├── DrawingError         a chart can't be drawn: its page is not built, or there is no browser to photograph it
├── JournalError         the journal can't be read, written, or trusted
│   └── JournalDivergence   a replay produced a fact that differs from the recorded one
├── StateConflict        another process, or another market, owns this state folder
├── VenueError           the venue answered: definitely not accepted
│   └── VenueTimeout     the venue may or may not have accepted: the order is UNKNOWN
├── UnsealedOrder        an order reached the execution engine without the gateway's seal
├── RiskUnavailable      a risk figure can't be given; what rests on it is refused
├── BreakerRefusal       the circuit breaker can't be moved as asked: what holds it, or who must agree
├── NotFound             nothing is recorded under that id
├── TrainingError        a training run can't go on: an extra is not installed, or a fit came to nothing
├── SampleError          numbers that a statistic can't be computed from
└── HoldoutSpent         another run has already looked at this final evaluation period
"""

from __future__ import annotations


class AgentError(Exception):
    """Base of all expected failures."""


class BundleError(AgentError):
    """A model bundle, or a key for one, can't be trusted, read or used here."""


class GateClosed(AgentError):
    """What was found of a bundle does not meet the conditions for promoting it."""


class ConfigError(AgentError):
    """A setting is unknown, missing or out of range."""


class LimitsLoosened(ConfigError):
    """A limit would allow more than before, and nobody said why."""


class DataError(AgentError):
    """A file, feed or frame can't be used as market data."""


class SnapshotError(AgentError):
    """Bytes are no snapshot that can be gone on from: damaged, of another class, or of another version."""


class DrawingError(AgentError):
    """A chart can't be drawn: its page is not built, or there is no browser to photograph it."""


class JournalError(AgentError):
    """The journal can't be read, written, or trusted."""


class JournalDivergence(JournalError):
    """A replay produced a fact that differs from the recorded one."""


class StateConflict(AgentError):
    """Another process, or another market, owns this state folder."""


class VenueError(AgentError):
    """The venue's definite refusal."""


class VenueTimeout(VenueError):
    """The outcome at the venue is not known."""


class UnsealedOrder(AgentError):
    """An order reached the execution engine without the gateway's seal."""


class RiskUnavailable(AgentError):
    """A risk figure can't be given; what rests on it is refused. ``code`` is a stable word for counters."""

    def __init__(self, message: str, code: str) -> None:
        super().__init__(message)
        self.code = code


class BreakerRefusal(AgentError):
    """The circuit breaker can't be moved as asked."""


class NotFound(AgentError):
    """Nothing is recorded under that id."""


class TrainingError(AgentError):
    """A training run can't go on: an extra is not installed, or a fit came to nothing."""


class SampleError(AgentError):
    """Numbers that a statistic can't be computed from: too few, of unequal length, not finite, out of range."""


class HoldoutSpent(AgentError):
    """Another run has already looked at this final evaluation period."""
