"""Says once, in words, that what the library gives looks ahead."""

from __future__ import annotations

import warnings


class HindsightWarning(UserWarning):
    """What was asked for rests on bars after the row it stands on."""


MESSAGE = (
    "these are the readings of smartmoneyconcepts 0.0.27, which look ahead: a value on a row may rest on later bars, "
    "and may change or vanish when more bars come. Don't trade, train or score on them; causal=True places each value "
    "on the bar that made it knowable, and never changes it. This is said once."
)


class Notice:
    """A warning that is given once."""

    def __init__(self) -> None:
        self.given = False

    def give(self, depth: int) -> None:
        """Warns at the first call, on the line of the caller that many calls up, 1 being the one that called this."""
        if not self.given:
            self.given = True
            warnings.warn(MESSAGE, HindsightWarning, stacklevel=depth + 1)


notice = Notice()
