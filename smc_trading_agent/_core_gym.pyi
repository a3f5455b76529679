"""The environment for policies of size and exit (crates/smc-python/src/gym.rs)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from smc_trading_agent._core import Bars

GYM_SIZES: tuple[float, ...]
"""The shares of the full size that the first action of a trade chooses from."""
GYM_STATE_NAMES: tuple[str, ...]
"""What an observation holds after the features."""

class TradeGym:
    """Held positions, ``lanes`` of them side by side.

    The first action of a trade chooses its size, at the close that knew the setup; after it, at each close from that
    of the entry's bar on, 0 holds and anything else leaves at the next open. Stop, target and deadline work as at the
    simulated venue.

    Rewards are in R (the risk at full size) times the size; the costs fall due with the first step, what a target saves
    of them with the last."""

    def __init__(
        self,
        bars: Bars,
        long_view: NDArray[np.float32],  # (bars, features): what a long position sees at each close
        short_view: NDArray[np.float32],
        begins: tuple[NDArray[np.int64], NDArray[np.int64]],  # (trades,): known_bar, at whose close it was known,
        # and first_bar, the first that begins at or after the entry: the next one where the entry was at its open
        side: NDArray[np.int64],
        levels: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],  # entry, stop, target
        deadline: NDArray[np.int64],  # ns: left at the first open at or after it
        cost: NDArray[np.float32],  # in R, of leaving at the market
        break_even: NDArray[np.float32],
        lanes: int,
        seed: int,
        shuffled: bool,  # all trades once in a random order, then again; else as given
    ) -> None: ...  # ValueError names the trade or the array that does not fit
    @property
    def lanes(self) -> int: ...
    @property
    def width(self) -> int: ...  # features and state
    def reset(self, observations: NDArray[np.float32]) -> None: ...  # (lanes, width), written
    def step(
        self,
        actions: NDArray[np.int64],
        observations: NDArray[np.float32],  # (lanes, width): of a lane that is over, the first of its next trade
        terminal: NDArray[np.float32],  # (lanes, width): written where a lane is over
        rewards: NDArray[np.float32],
        dones: NDArray[np.uint8],
        trades: NDArray[np.int64],  # written where a lane is over: which trade it was
    ) -> None: ...  # ValueError names a lane's unknown action; nothing has moved then
