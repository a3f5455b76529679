"""The environment of the core as stable-baselines3 wants it: held positions side by side, of one or more markets.

An observation is the scaled feature vector from the position's side, then `GYM_STATE_NAMES`; an action is an index of
`GYM_SIZES`, taken at the first step of a trade, and whether to leave, taken at every later one. The core writes into
buffers that are handed out in turn: an answer is overwritten by the second step after it, not by the next, because
stable-baselines3 stores an observation after the step that follows it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray
from stable_baselines3.common.vec_env import VecEnv

from smc_trading_agent._core import GYM_SIZES, GYM_STATE_NAMES, TradeGym
from smc_trading_agent.decision_engine.ensemble.inputs import MIRROR, Normaliser, Scaler, Scaling
from smc_trading_agent.decision_engine.training.samples import Floats, Indices, Labels, Samples, Tape, Trades

Singles = NDArray[np.float32]
ACTIONS = (len(GYM_SIZES), 2)
"""How many choices there are of the size, and of holding (0) or leaving (1)."""
BUFFERS = 2


class TradeEnvironment(VecEnv):  # type: ignore[misc]  # the extra's types are not followed
    """``lanes`` positions over the trades of all markets that have any, shared out by the number of their trades.

    Shuffled, each market's trades are all played once in a random order, then again; else in the order given. An
    ended lane's info holds its last observation under ``terminal_observation``, the number of its trade under
    ``trade``, and ``episode`` with the return ``r`` in R and the length ``l`` in steps.
    """

    def __init__(
        self,
        samples: Samples,
        labels: Labels,
        trades: Trades,
        normaliser: Normaliser,
        lanes: int,
        seed: int,
        shuffled: bool = True,
    ) -> None:
        """Raises `ValueError` for fewer lanes than markets with trades, and for trades that contradict themselves."""
        self._markets = [_Market(samples, labels, trades, normaliser, market) for market in np.unique(samples.market)]
        counts = [len(market.rows) for market in self._markets]
        self._bounds = np.concatenate([[0], np.cumsum(lanes_by_market(counts, lanes))])
        self._shuffled = shuffled
        self._seed: int | None = seed
        self._gyms: list[TradeGym] = []
        width = samples.tapes[0].features.shape[1] + len(GYM_STATE_NAMES)
        self._buffers = [_Buffers(lanes, width) for _ in range(BUFFERS)]
        self._turn = 0
        self._terminal = np.zeros((lanes, width), dtype=np.float32)
        self._ended = np.zeros(lanes, dtype=np.int64)
        self._actions = np.zeros(lanes, dtype=np.int64)
        self._choosing = np.ones(lanes, dtype=np.bool_)
        self._returns, self._lengths = np.zeros(lanes), np.zeros(lanes, dtype=np.int64)
        observations = spaces.Box(-np.inf, np.inf, (width,), dtype=np.float32)
        super().__init__(lanes, observations, spaces.MultiDiscrete(ACTIONS))

    def seed(self, seed: int | None = None) -> Sequence[int | None]:
        """The next reset begins anew from ``seed``; None leaves the environment as it is."""
        if seed is not None:
            self._seed = seed
        return [seed] * self.num_envs

    def reset(self) -> Singles:
        """Every lane begins another trade; the first observations (lanes, width)."""
        if self._seed is not None:
            parts = zip(self._markets, np.diff(self._bounds).tolist(), strict=True)
            self._gyms = [
                market.gym(lanes, self._seed + number, self._shuffled) for number, (market, lanes) in enumerate(parts)
            ]
            self._seed = None
        buffers = self._next()
        for gym, part in self._parts():
            gym.reset(buffers.observations[part])
        self._choosing[:] = True
        self._returns[:], self._lengths[:] = 0.0, 0
        return buffers.observations

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """Takes note of actions (lanes, 2): the size counts where a trade begins, leaving anywhere else."""
        np.copyto(self._actions, np.where(self._choosing, actions[:, 0], actions[:, 1]))

    def step_wait(self) -> tuple[Singles, Singles, NDArray[np.bool_], list[dict[str, Any]]]:
        """Observations (lanes, width), rewards (lanes,), dones (lanes,), infos."""
        out = self._next()
        for gym, part in self._parts():
            gym.step(
                self._actions[part],
                out.observations[part],
                self._terminal[part],
                out.rewards[part],
                out.dones[part],
                self._ended[part],
            )
        done = out.dones.view(np.bool_)
        self._returns += out.rewards
        self._lengths += 1
        infos: list[dict[str, Any]] = [{} for _ in range(self.num_envs)]
        for lane in np.flatnonzero(done).tolist():
            infos[lane] = {
                "terminal_observation": self._terminal[lane].copy(),
                "trade": self.trade_of(lane),
                "episode": {"r": float(self._returns[lane]), "l": int(self._lengths[lane])},
            }
        self._returns[done], self._lengths[done] = 0.0, 0
        np.copyto(self._choosing, done)
        return out.observations, out.rewards, done, infos

    def trade_of(self, lane: int) -> int:
        """The row, among the samples given, of the trade that a lane ended last."""
        market = int(np.searchsorted(self._bounds, lane, side="right")) - 1
        return int(self._markets[market].rows[self._ended[lane]])

    def close(self) -> None:
        """Gives the memory of the markets back."""
        self._gyms.clear()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """The environment's own attribute, once for each lane asked for; lanes have none of their own."""
        value = None if attr_name == "render_mode" else getattr(self, attr_name)
        return [value for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Refused: lanes have no attributes of their own."""
        raise AttributeError(f"lanes of a TradeEnvironment have no attribute {attr_name} to be set; make another one")

    def env_method(self, method_name: str, *method_args: Any, indices: Any = None, **method_kwargs: Any) -> list[Any]:
        """Refused: lanes have no methods of their own."""
        raise AttributeError(f"lanes of a TradeEnvironment have no method {method_name}; call the environment's")

    def env_is_wrapped(self, wrapper_class: Any, indices: Any = None) -> list[bool]:
        """No lane is."""
        return [False for _ in self._get_indices(indices)]

    def _next(self) -> _Buffers:
        self._turn = (self._turn + 1) % BUFFERS
        return self._buffers[self._turn]

    def _parts(self) -> list[tuple[TradeGym, slice]]:
        bounds = self._bounds.tolist()
        return [(gym, slice(*bounds[number : number + 2])) for number, gym in enumerate(self._gyms)]


class _Buffers:
    """What one step is written into."""

    def __init__(self, lanes: int, width: int) -> None:
        self.observations = np.zeros((lanes, width), dtype=np.float32)
        self.rewards = np.zeros(lanes, dtype=np.float32)
        self.dones = np.zeros(lanes, dtype=np.uint8)


class _Market:
    """The trades of one market in the form that the core takes; ``rows`` are their places among all samples."""

    def __init__(self, samples: Samples, labels: Labels, trades: Trades, normaliser: Normaliser, market: int) -> None:
        self.rows = np.flatnonzero(samples.market == market)
        self._samples, self._trades = samples.take(self.rows), trades.take(self.rows)
        self._break_even = labels.break_even[self.rows]
        self._tape = samples.tapes[market]
        self._normaliser = normaliser

    def gym(self, lanes: int, seed: int, shuffled: bool) -> TradeGym:
        """``lanes`` positions over the trades."""
        trades = self._trades
        return TradeGym(
            self._tape.bars,
            *side_views(self._tape, self._normaliser),
            (self._samples.position.astype(np.int64), trades.first_bar),
            self._samples.side,
            (trades.entry, trades.stop, trades.target),
            trades.deadline,
            trades.cost.astype(np.float32),
            self._break_even.astype(np.float32),
            lanes,
            seed,
            shuffled,
        )


def side_views(tape: Tape, normaliser: Normaliser) -> tuple[Singles, Singles]:
    """The tape as a long position sees it and as a short one does, (bars, F) each, scaled like the context row.

    Values that are no numbers, as they occur before every feature is known, read as the mean.
    """
    width = tape.features.shape[1]
    context = normaliser.context
    scaler = Scaler(Scaling(context.centre[:width], context.scale[:width]))
    mirrored: Floats = MIRROR.offset + MIRROR.sign * tape.features[:, MIRROR.index]
    views = scaler.apply(tape.features), scaler.apply(mirrored)
    return np.nan_to_num(views[0], nan=0.0), np.nan_to_num(views[1], nan=0.0)


def lanes_by_market(counts: Sequence[int], lanes: int) -> Indices:
    """``lanes`` shared out in proportion to ``counts``, at least one each; `ValueError` where there are too few."""
    if not counts or lanes < len(counts):
        raise ValueError(f"{lanes} lanes can't be shared out to {len(counts)} markets with trades; give one lane each")
    shares = np.array(counts) / sum(counts) * (lanes - len(counts))
    whole = np.floor(shares).astype(np.intp)
    left = lanes - len(counts) - int(whole.sum())
    whole[np.argsort(whole - shares, kind="stable")[:left]] += 1
    return whole + 1
