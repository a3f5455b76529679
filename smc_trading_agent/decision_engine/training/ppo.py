"""Proximal policy optimisation of size and exit (Schulman et al., 2017), through stable-baselines3 on the core's gym.

The policy begins as the baseline would trade, all but: it holds, with one close in 33 left at random, so that from the
first rollout on it sees whole trades. A fit is deterministic: one seed for weights, minibatches and the order of
trades, a fixed number of threads, the CPU; and it leaves the process's own random state as it was.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from smc_trading_agent._core import GYM_SIZES
from smc_trading_agent.decision_engine.ensemble.inputs import Normaliser, Scaler
from smc_trading_agent.decision_engine.ensemble.manifest import ExpertKind
from smc_trading_agent.decision_engine.training.policy_network import HOLD, PolicyNetwork, with_exit
from smc_trading_agent.decision_engine.training.samples import Floats, Labels, Samples, Trades

if TYPE_CHECKING:
    from stable_baselines3 import PPO

HIDDEN = (64, 64)
HOLD_BIAS = 3.5
"""Log-odds of holding against leaving before anything is learned: 97 %."""
NORMAL_95 = 1.959964


class PpoExpert(msgspec.Struct, frozen=True):
    """A fitted policy, and the one it began as. Its vote: see `EntryNetwork.log_odds`."""

    network: PolicyNetwork
    untrained: PolicyNetwork
    normaliser: Normaliser
    name: str = "ppo"
    kind: ExpertKind = "row"

    def log_odds(self, samples: Samples) -> Floats:
        """Raw log-odds (n,), each from the context row of its setup."""
        scaled = Scaler(self.normaliser.context).apply(samples.context)
        return self.network.at_entry(self.normaliser.context).log_odds(scaled).astype(np.float64)

    def export(self) -> bytes:
        """The ONNX graph of vote and size, with that of holding or leaving in its metadata."""
        return with_exit(self.network.at_entry(self.normaliser.context).graph(), self.network.exit_graph())


class PpoFitter(msgspec.Struct, frozen=True):
    """Fits a `PpoExpert` in about ``steps`` steps of the environment, whole rollouts of ``lanes * rollout`` at a time.

    Weights decay by ``weight_decay`` times the learning rate at each update, apart from Adam's steps (Loshchilov and
    Hutter, 2019): with far more columns than trades say anything of, the policy would learn the trades by heart.
    ``threads`` is PyTorch's number while it fits.
    """

    steps: int = 100_000
    lanes: int = 128
    rollout: int = 32
    epochs: int = 4
    minibatch: int = 1_024
    learning_rate: float = 1e-3
    gae_lambda: float = 0.97
    entropy: float = 0.01
    weight_decay: float = 1.0
    threads: int = 1

    def __call__(
        self, samples: Samples, labels: Labels, trades: Trades, normaliser: Normaliser, seed: int
    ) -> PpoExpert:
        """See `ExpertFitter`."""
        from stable_baselines3 import PPO
        from torch.optim import AdamW

        from smc_trading_agent.decision_engine.training.gym_environment import TradeEnvironment

        environment = TradeEnvironment(samples, labels, trades, normaliser, self.lanes, seed)
        policy = {
            "net_arch": {"pi": list(HIDDEN), "vf": list(HIDDEN)},
            "optimizer_class": AdamW,
            "optimizer_kwargs": {"weight_decay": self.weight_decay, "eps": 1e-5},
        }
        with _own_randomness(self.threads):
            algorithm = PPO(
                "MlpPolicy",
                environment,
                learning_rate=self.learning_rate,
                n_steps=self.rollout,
                batch_size=self.minibatch,
                n_epochs=self.epochs,
                gamma=1.0,
                gae_lambda=self.gae_lambda,
                ent_coef=self.entropy,
                policy_kwargs=policy,
                seed=seed,
                device="cpu",
            )
            algorithm.policy.action_net.bias.data[HOLD] = HOLD_BIAS
            untrained = _network(algorithm)
            if self.steps > 0:
                algorithm.learn(self.steps)
            network = _network(algorithm)
        environment.close()
        return PpoExpert(network, untrained, normaliser)


class PolicyEvaluation(msgspec.Struct, frozen=True):
    """What each of n trades earned in R after costs, all arrays (n,): by the fitted policy, at full size held to the
    end, and by the policy before it learned."""

    policy: Floats
    full_size: Floats
    untrained: Floats

    @property
    def best_constant(self) -> Floats:
        """Held to the end at the one size that earned most, known only afterwards: the least where trading loses.

        On losing trades any small size beats the full one; a policy that has learned something beats this.
        """
        return self.full_size if self.full_size.mean() > 0.0 else GYM_SIZES[0] * self.full_size

    def gain(self, over: Floats) -> tuple[float, float, float]:
        """Mean reward of the policy beyond that of ``over``, and the 95 % interval of the mean.

        The variance of the paired differences allows for neighbouring trades that overlap (Newey and West, 1987),
        with n^(1/3) lags.
        """
        difference = self.policy - over
        count, mean = len(difference), float(difference.mean())
        centred, lags = difference - mean, round(count ** (1.0 / 3.0))
        variance = float(centred @ centred)
        for lag in range(1, min(lags, count - 1) + 1):
            variance += 2.0 * (1.0 - lag / (lags + 1.0)) * float(centred[lag:] @ centred[:-lag])
        margin = NORMAL_95 * max(variance, 0.0) ** 0.5 / count
        return mean, mean - margin, mean + margin


def evaluate(expert: PpoExpert, samples: Samples, labels: Labels, trades: Trades, lanes: int = 128) -> PolicyEvaluation:
    """Plays each trade once by each policy, always by its likeliest action. Give trades that were not fitted on."""

    def rewards(network: PolicyNetwork | None) -> Floats:
        return play(network, samples, labels, trades, expert.normaliser, lanes)

    return PolicyEvaluation(rewards(expert.network), rewards(None), rewards(expert.untrained))


def play(
    network: PolicyNetwork | None,
    samples: Samples,
    labels: Labels,
    trades: Trades,
    normaliser: Normaliser,
    lanes: int = 128,
) -> Floats:
    """Net result in R of each trade (n,), played once by the network's likeliest actions; None: full size, held."""
    from smc_trading_agent.decision_engine.training.gym_environment import TradeEnvironment

    environment = TradeEnvironment(samples, labels, trades, normaliser, lanes, seed=0, shuffled=False)
    earned = np.full(len(samples), np.nan)
    full_size = np.tile([len(GYM_SIZES) - 1, 0], (lanes, 1))
    observations = environment.reset()
    while np.isnan(earned).any():
        environment.step_async(full_size if network is None else network.actions(observations))
        observations, _, dones, infos = environment.step_wait()
        for lane in np.flatnonzero(dones).tolist():
            trade = infos[lane]["trade"]
            if np.isnan(earned[trade]):
                earned[trade] = infos[lane]["episode"]["r"]
    environment.close()
    return earned


def _network(algorithm: PPO) -> PolicyNetwork:
    """The actor's weights as arrays of their own."""
    policy = algorithm.policy
    dense = [layer for layer in policy.mlp_extractor.policy_net if hasattr(layer, "weight")]
    arrays = [
        (layer.weight.detach().numpy().T.copy(), layer.bias.detach().numpy().copy())
        for layer in (*dense, policy.action_net)
    ]
    return PolicyNetwork(tuple(arrays))


@contextmanager
def _own_randomness(threads: int) -> Iterator[None]:
    """stable-baselines3 seeds every global generator; afterwards they, and PyTorch's threads, are as before."""
    import torch

    state, legacy, before = random.getstate(), np.random.get_state(), torch.get_num_threads()
    with torch.random.fork_rng(devices=[]):
        torch.set_num_threads(threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)
            random.setstate(state)
            np.random.set_state(legacy)
