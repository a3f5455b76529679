"""The rows that experts see, made in one place for training and serving: the context of a setup, and its scaling.

The context row is the feature vector at the setup's close seen from the setup's side, then the setup's own columns.
For a short setup bullish and bearish columns change places, signed ones change sign and positions in a range are
counted from the other end; so +1 always means "with the setup", and a long setup and its mirror image are one row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from smc_trading_agent._core import FEATURE_NAMES, RowMirror, RowScaler
from smc_trading_agent.decision_engine.ensemble.manifest import schema_hash
from smc_trading_agent.domain.reasons import SetupKind
from smc_trading_agent.domain.types import Setup

Floats = NDArray[np.float64]
SETUP_COLUMNS = (
    "is_reversal",
    "is_continuation",
    "reward_risk",
    "stop_distance",
    "break_even",
    "chance",
)
"""Kind as one-hot; reward over risk; stop distance in ATR, 0 without one; break-even P; chance 1 / (1 + R)."""
LIMIT = 5.0
OPPOSITES = (("bullish", "bearish"), ("buy_side", "sell_side"), ("upper_wick", "lower_wick"))
SIGNED_ENDS = ("_bias", "_direction", "_imbalance", "body_share")
POSITION_END = "range_position"


class Mirror(msgspec.Struct, frozen=True):
    """How a feature vector looks upside down: ``mirrored = offset + sign * row[index]``, each (F,)."""

    index: NDArray[np.intp]
    sign: Floats
    offset: Floats


def mirror_of(names: Sequence[str]) -> Mirror:
    """The mirror image of columns by what their names say; `ValueError` where a column's opposite is missing."""
    place = {name: index for index, name in enumerate(names)}
    index, sign, offset = [], [], []
    for name in names:
        opposite = name
        for one, other in OPPOSITES:
            if one in name or other in name:
                opposite = name.replace(one, other) if one in name else name.replace(other, one)
        if opposite not in place:
            raise ValueError(f"feature {name} has no mirror image: {opposite} is not among the columns")
        index.append(place[opposite])
        signed = name.startswith("return_") or (name.endswith(SIGNED_ENDS) and opposite == name)
        flipped = signed or name.endswith(POSITION_END)
        sign.append(-1.0 if flipped else 1.0)
        offset.append(1.0 if name.endswith(POSITION_END) else 0.0)
    return Mirror(np.array(index, dtype=np.intp), np.array(sign), np.array(offset))


WIDTH = len(FEATURE_NAMES)
MIRROR = mirror_of(FEATURE_NAMES)
ROW_MIRROR = RowMirror(MIRROR.index.tolist(), MIRROR.sign.tolist(), MIRROR.offset.tolist())
ATR_SHARE = FEATURE_NAMES.index("atr_share")
CONTEXT_COLUMNS = (*FEATURE_NAMES, *SETUP_COLUMNS)
FEATURE_SCHEMA = schema_hash(FEATURE_NAMES, SETUP_COLUMNS)
"""What a bundle must have been trained on to be served by this code."""


def context_row(setup: Setup, break_even: float) -> Floats:
    """The row (F + S,) of a setup whose ``features`` are the vector at its close; columns are `CONTEXT_COLUMNS`.

    Raises `ValueError` where the setup carries another number of features.
    """
    try:
        row = ROW_MIRROR.row(setup.features, setup.side < 0, len(SETUP_COLUMNS))
    except ValueError as error:
        raise ValueError(
            f"setup {setup.setup_id} carries {len(setup.features)} features, expected {WIDTH} (FEATURE_NAMES)"
        ) from error
    risk, reward = setup.risk_ticks, setup.reward_ticks
    atr = row.item(ATR_SHARE) * setup.entry / 100.0
    row[WIDTH:] = (
        float(setup.kind is SetupKind.REVERSAL),
        float(setup.kind is SetupKind.CONTINUATION),
        reward / risk,
        risk / atr if atr > 0.0 else 0.0,
        break_even,
        risk / (risk + reward),
    )
    return row


class Scaling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """(x - centre) / scale, clipped to +-`LIMIT`. A column that never varied has scale 0 and becomes 0."""

    centre: tuple[float, ...]
    scale: tuple[float, ...]

    def __post_init__(self) -> None:
        numbers = all(map(math.isfinite, self.centre)) and all(map(math.isfinite, self.scale))
        if len(self.centre) != len(self.scale) or not numbers or min(self.scale, default=0.0) < 0.0:
            raise ValueError("a scaling needs as many finite centres as scales, and scales that are not negative")


class Normaliser(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The file ``normaliser.json``: scaling of the context row (F + S columns) and of the stream row (F columns)."""

    context: Scaling
    stream: Scaling


class Scaler:
    """A scaling ready for use on rows."""

    def __init__(self, scaling: Scaling) -> None:
        scale = np.array(scaling.scale, dtype=np.float64)
        self._centre = np.array(scaling.centre, dtype=np.float64)
        self._factor = np.divide(1.0, scale, out=np.zeros_like(scale), where=scale > 0.0)
        self._one = RowScaler(self._centre.tolist(), self._factor.tolist(), LIMIT)

    @property
    def width(self) -> int:
        """Number of columns."""
        return int(self._centre.size)

    def apply(self, rows: Floats) -> NDArray[np.float32]:
        """Rows (..., columns) as float32; NaN stays NaN."""
        if rows.ndim == 1:
            return self._one.apply(rows)
        scaled = (rows - self._centre) * self._factor
        return np.clip(scaled, -LIMIT, LIMIT, out=scaled).astype(np.float32)


def fit_scaling(rows: Floats, weights: Floats | None = None) -> Scaling:
    """Weighted mean and standard deviation of rows (n, columns); fit it inside the fold, on training rows only."""
    given = np.ones(len(rows)) if weights is None else np.asarray(weights, dtype=np.float64)
    centre = np.average(rows, axis=0, weights=given)
    scale = np.sqrt(np.average((rows - centre) ** 2, axis=0, weights=given))
    # What is constant but for rounding is constant.
    scale[scale <= 1e-9 * (1.0 + np.abs(centre))] = 0.0
    return Scaling(tuple(centre.tolist()), tuple(scale.tolist()))
