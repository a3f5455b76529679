"""The stretch of time that a chart shows, from what a person wrote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from smc_trading_agent.domain.errors import ConfigError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


class Span(msgspec.Struct, frozen=True):
    """Half-open, in ns: bars that open at ``start`` or later and close by ``end``. None is where the data begins or
    ends; without a start the chart shows the last ``bars`` bars.

    ``as_of`` is the time whose knowledge is shown first, None for all of it.
    """

    start: int | None = None
    end: int | None = None
    as_of: int | None = None
    bars: int = 300


def span_of(start: str | None, end: str | None, as_of: str | None) -> Span:
    """A span from dates or date-times, UTC unless they say otherwise.

    A date alone is its first moment as a start, and its last as an end. Raises `ConfigError` for a text that is no
    time, and for times in the wrong order.
    """
    since = None if start is None else _moment("--from", start, last=False)
    until = None if end is None else _moment("--to", end, last=True)
    known = None if as_of is None else _moment("--as-of", as_of, last=True)
    if since is not None and until is not None and since >= until:
        raise ConfigError(f"--from {start} is not before --to {end}; swap them, or widen the span")
    if known is not None and ((since is not None and known <= since) or (until is not None and known > until)):
        raise ConfigError(f"--as-of {as_of} lies outside --from {start or 'start'} --to {end or 'end'}; move it inside")
    return Span(since, until, known)


def _moment(option: str, text: str, *, last: bool) -> int:
    """A time in ns since the epoch."""
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        alone = len(text.strip()) <= len("2024-03-05")
        since = moment - _EPOCH + (_DAY if alone and last else timedelta())
    except (ValueError, OverflowError):
        raise ConfigError(
            f"{option} {text!r} is no time; write a date such as 2024-03-05 or a time such as 2024-03-05T14:30, in UTC"
        ) from None
    return (since // timedelta(microseconds=1)) * 1_000
