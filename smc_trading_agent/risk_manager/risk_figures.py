"""The figures of a book with an order in it that limits look at. Money is whole cents of the quote currency."""

from __future__ import annotations

import msgspec


class RiskFigures(msgspec.Struct, frozen=True):
    """Losses are positive; ``before`` is without the order. Where ``unknown`` says why not, figures mean nothing.

    ``unknown`` is a stable word and ``remedy`` a sentence. ``data_time`` is the close that they rest on and
    ``bar_ns`` the length of its bar.
    """

    value_at_risk: int = 0
    value_at_risk_before: int = 0
    shortfall: int = 0
    shortfall_before: int = 0
    worst_stress: str = ""
    stress_loss: int = 0
    largest_share_ppm: int = 0
    herfindahl_ppm: int = 0
    cluster: str = ""
    cluster_exposure: int = 0
    scenarios: int = 0
    data_time: int = 0
    bar_ns: int = 0
    unknown: str = ""
    remedy: str = ""


def concentration(exposures: list[int]) -> tuple[int, int]:
    """Largest share of assets in their gross exposure, and the Herfindahl index, in ppm rounded up; 0 of nothing.

    O. C. Herfindahl, *Concentration in the steel industry* (1950): the sum of squared shares.
    """
    gross = sum(exposures)
    if gross <= 0:
        return 0, 0
    share = -(-max(exposures) * 1_000_000 // gross)
    return share, -(-sum(each * each for each in exposures) * 1_000_000 // (gross * gross))
