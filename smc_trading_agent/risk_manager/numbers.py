"""Values that are no numbers, found before anything is compared with them; quote units in cents."""

from __future__ import annotations

import math
from fractions import Fraction
from operator import attrgetter

import msgspec

from smc_trading_agent._core import Instrument
from smc_trading_agent.domain.types import AccountView, Intent

ACCOUNT = attrgetter(*AccountView.__struct_fields__)
INTENT = attrgetter(*(name for name in Intent.__struct_fields__ if Intent.__annotations__[name] in ("int", "float")))


class Cents(msgspec.Struct, frozen=True):
    """Hundredths of the quote currency in a quote unit, as a fraction. Risk figures are in cents."""

    numerator: int
    denominator: int

    def floor(self, units: int) -> int:
        """Whole cents, rounded down: of an equity."""
        return units * self.numerator // self.denominator

    def ceil(self, units: int) -> int:
        """Whole cents, rounded up: of an exposure."""
        return -(-units * self.numerator // self.denominator)


def cents_of(instrument: Instrument) -> Cents:
    """A quote unit is one tick of one lot."""
    unit = Fraction(instrument.tick_size) * Fraction(instrument.lot_size) * 100
    return Cents(unit.numerator, unit.denominator)


def demand_numbers(*parts: AccountView | Intent) -> None:
    """Raises `ValueError` where a field is NaN or infinite: compared as a size or a price, it could pass.

    One sum tells whether any is; only then is it looked for. A NaN or an infinity survives every addition.
    """
    for part in parts:
        if not math.isfinite(sum(ACCOUNT(part) if type(part) is AccountView else INTENT(part))):
            _name_it(part)


def _name_it(part: msgspec.Struct) -> None:
    for name in part.__struct_fields__:
        value = getattr(part, name)
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"{type(part).__name__}.{name} is {value}, not a number that can be judged")
    raise ValueError(f"{type(part).__name__} holds numbers too large to be judged")
