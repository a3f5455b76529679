"""What models are fitted on: setups as rows, what became of them apart from it, and the tapes both came from.

A model that predicts is given `Samples` only. `Labels` and `Trades` hold what was not known yet at the setup's close.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from smc_trading_agent._core import Bars

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Indices = NDArray[np.intp]


class Tape(msgspec.Struct, frozen=True):
    """One market on the decision timeframe. ``features[i]`` is the core's feature vector at the close of bar i.

    ``features``: float64 (bars, F), raw, not from a setup's side. ``instrument`` is a key such as
    ``binance_usdm:BTCUSDT``; ``data_sha256`` is of the file that the bars came from.
    """

    instrument: str
    timeframe: str
    data_sha256: str
    bars: Bars
    features: Floats


class Samples(msgspec.Struct, frozen=True):
    """n setups in the order of their close. ``context`` (n, C) float64: `CONTEXT_COLUMNS`, not yet scaled.

    ``tapes[market[i]].features[position[i]]`` is the vector at the close of setup i; ``known_at[i]`` that close in ns;
    ``side`` +1 or -1.
    """

    tapes: tuple[Tape, ...]
    setup_ids: tuple[str, ...]
    context: Floats
    market: Indices
    position: Indices
    side: Integers
    known_at: Integers

    def __len__(self) -> int:
        return len(self.setup_ids)

    def take(self, rows: Indices) -> Samples:
        """The same for some of the setups; tapes are shared."""
        return Samples(
            tapes=self.tapes,
            setup_ids=tuple(self.setup_ids[row] for row in rows),
            context=self.context[rows],
            market=self.market[rows],
            position=self.position[rows],
            side=self.side[rows],
            known_at=self.known_at[rows],
        )


class Labels(msgspec.Struct, frozen=True):
    """What became of n setups, by triple barrier; all arrays (n,).

    ``start`` entry and ``end`` exit in ns; ``outcome`` in [0, 1], the share of the way from stop to target at the exit
    (1 target, 0 stop); ``net_return`` in R (the risk) after costs; ``break_even`` the P(win) that just pays the costs;
    ``chance`` 1 / (1 + reward/risk); ``weight`` how much of its life a label has to itself, in (0, 1].
    """

    start: Integers
    end: Integers
    outcome: Floats
    net_return: Floats
    break_even: Floats
    chance: Floats
    weight: Floats

    def __len__(self) -> int:
        return len(self.outcome)

    def take(self, rows: Indices) -> Labels:
        """The same for some of the setups."""
        return Labels(**{field: getattr(self, field)[rows] for field in self.__struct_fields__})


class Trades(msgspec.Struct, frozen=True):
    """The brackets of n setups, for an environment that steps through them; all arrays (n,).

    ``first_bar`` is the first bar of its market's tape that begins at or after the entry; levels in ticks;
    ``deadline`` in ns; ``cost`` in R of entering and of leaving at the stop, as `CostModel.loss_ticks` has it.
    """

    first_bar: Integers
    entry: Integers
    stop: Integers
    target: Integers
    deadline: Integers
    cost: Floats

    def take(self, rows: Indices) -> Trades:
        """The same for some of the setups."""
        return Trades(**{field: getattr(self, field)[rows] for field in self.__struct_fields__})
