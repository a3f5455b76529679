"""When a policy network would leave what is held: asked at each decision close, with the observation it learned on.

The observation is that of the core's gym: features from the position's side, scaled like the context row, then
`GYM_STATE_NAMES`. The graph ``observation[1, F + state] -> logit[1, 1]`` travels in the metadata of the policy's
own file, base64 under `EXIT_GRAPH`, so that vote, size and exit are one model, signed as one.
"""

from __future__ import annotations

import base64
import binascii

import msgspec
import numpy as np

from smc_trading_agent._core import GYM_STATE_NAMES, Bar
from smc_trading_agent.decision_engine.ensemble.bundle import Bundle
from smc_trading_agent.decision_engine.ensemble.experts import LOGIT
from smc_trading_agent.decision_engine.ensemble.inputs import MIRROR, Floats, Scaler, Scaling
from smc_trading_agent.decision_engine.ensemble.policy_outputs import policy_entry
from smc_trading_agent.decision_engine.ensemble.sessions import BoundGraph, Row, open_session, output_of
from smc_trading_agent.domain.errors import BundleError
from smc_trading_agent.domain.types import Decision, HeldTrade

OBSERVATION = "observation"
EXIT_GRAPH = "exit_graph"


class HeldBracket(msgspec.Struct, frozen=True):
    """What was decided of a trade that may come to be held; levels in ticks, times in ns."""

    side: int
    entry: int
    stop: int
    target: int
    entry_expires_at: int
    time_limit_ns: int
    break_even: float
    size: float

    def in_risk(self, price: int) -> float:
        """A price in R from the entry."""
        return (price - self.entry) * self.side / abs(self.entry - self.stop)


class ExitState(msgspec.Struct):
    """Brackets by decision, and the extremes, in R at closes, of the one that was held last."""

    brackets: dict[str, HeldBracket] = {}
    decision_id: str = ""
    best: float = 0.0
    worst: float = 0.0


class PolicyExit:
    """See the module. What it answers follows from what it was shown alone, so a replay answers the same."""

    def __init__(self, graph: BoundGraph, observation: Row, logit: Row, scaling: Scaling) -> None:
        """``graph`` reads ``observation`` (1, F + state) and writes ``logit``; ``scaling`` is of the F features."""
        self._graph, self._observation, self._logit = graph, observation, logit
        self._scaler = Scaler(scaling)
        self._state = ExitState()

    def taken(self, decision: Decision) -> None:
        """Takes note of a decision that was approved; what can't come to be held any more is forgotten."""
        setup, forecast, state = decision.setup, decision.forecast, self._state
        state.brackets = {
            key: bracket
            for key, bracket in state.brackets.items()
            if key == state.decision_id or bracket.entry_expires_at > decision.time
        }
        if forecast is not None:
            state.brackets[decision.decision_id] = HeldBracket(
                setup.side,
                setup.entry,
                setup.stop,
                setup.target,
                setup.entry_expires_at,
                setup.time_limit_ns,
                forecast.break_even,
                forecast.size_multiplier,
            )

    def leaves(self, held: HeldTrade, bar: Bar, features: Floats) -> bool:
        """Whether to leave at the next open, at the close of ``bar`` with its raw feature vector (F,).

        A trade that it was not told of, and a logit that is no number, are held.
        """
        bracket = self._state.brackets.get(held.decision_id)
        if bracket is None:
            return False
        self._observation[0] = self.observe(held, bracket, bar, features)
        self._graph.run()
        return float(self._logit.item()) > 0.0

    def observe(self, held: HeldTrade, bracket: HeldBracket, bar: Bar, features: Floats) -> Row:
        """The observation (F + state,) at the close of ``bar``; follows the trade's extremes."""
        state, now = self._state, bracket.in_risk(bar.close)
        if state.decision_id != held.decision_id:
            state.decision_id, state.best, state.worst = held.decision_id, 0.0, 0.0
        state.best, state.worst = max(state.best, now), min(state.worst, now)
        elapsed = (bar.close_time - held.opened_at) / max(bracket.time_limit_ns, 1)
        known = {
            "at_entry": 0.0,
            "size": bracket.size,
            "unrealised_r": now,
            "best_r": state.best,
            "worst_r": state.worst,
            "reward_risk": bracket.in_risk(bracket.target),
            "elapsed_share": min(1.0, max(0.0, elapsed)),
            "break_even": bracket.break_even,
        }
        seen = features if bracket.side > 0 else MIRROR.offset + MIRROR.sign * features[MIRROR.index]
        scaled = np.nan_to_num(self._scaler.apply(seen), nan=0.0)
        return np.concatenate([scaled, np.array([known[name] for name in GYM_STATE_NAMES], dtype=np.float32)])

    def snapshot(self) -> bytes:
        """The whole state."""
        return msgspec.msgpack.encode(self._state)

    def restore(self, data: bytes) -> None:
        """Continues exactly from a snapshot."""
        self._state = msgspec.msgpack.decode(data, type=ExitState)


def load_exit(bundle: Bundle) -> PolicyExit:
    """The exit policy of a bundle; `BundleError` where it has none, or one of another form."""
    entry = policy_entry(bundle)
    if entry is None:
        raise BundleError(
            f"bundle {bundle.bundle_id} has no policy to ask for exits; set decision.models.policy_exit off"
        )
    kept = open_session(entry.file, bundle.contents[entry.file]).get_modelmeta().custom_metadata_map.get(EXIT_GRAPH)
    if kept is None:
        raise BundleError(f"{entry.file} says nothing of exits; set decision.models.policy_exit off, or train it again")
    try:
        session = open_session(f"{EXIT_GRAPH} of {entry.file}", base64.b64decode(kept, validate=True))
    except binascii.Error as error:
        raise BundleError(f"{EXIT_GRAPH} of {entry.file} can't be read: {error}; train the bundle again") from error
    width = len(bundle.normaliser.stream.centre)
    expected = [1, width + len(GYM_STATE_NAMES)]
    found = {node.name: node.shape for node in session.get_inputs()}
    if found != {OBSERVATION: expected} or LOGIT not in {node.name for node in session.get_outputs()}:
        raise BundleError(
            f"{EXIT_GRAPH} of {entry.file} has inputs {found}, expected {OBSERVATION} {expected} and the output "
            f"{LOGIT}; train the bundle again"
        )
    observation = np.zeros(expected, dtype=np.float32)
    logit = output_of(session, entry.file, LOGIT, {OBSERVATION: observation})
    context = bundle.normaliser.context
    graph = BoundGraph(session, {OBSERVATION: observation}, {LOGIT: logit})
    return PolicyExit(graph, observation, logit, Scaling(context.centre[:width], context.scale[:width]))
