"""The forecaster over a bundle: votes, calibration, pool, conformal set; and every reason not to act on them.

Base rates run beside the models: they follow every setup to its end, which is when the pool, the sets and the drift
watch learn, and they forecast alone where drift has put the models to rest. A vote that is late, fails or is no number
is left out, and so is the vote of an expert that was dropped; below the quorum the decision abstains.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from copy import deepcopy

import msgspec
import numpy as np

from smc_trading_agent._core import FEATURE_NAMES, Bar, Bars, largest_of
from smc_trading_agent.decision_engine.base_rate import BaseRateForecaster
from smc_trading_agent.decision_engine.ensemble.bundle import Bundle
from smc_trading_agent.decision_engine.ensemble.cache import CacheKey, VoteCache
from smc_trading_agent.decision_engine.ensemble.conformal import AdaptiveConformal
from smc_trading_agent.decision_engine.ensemble.drift import DriftWatch
from smc_trading_agent.decision_engine.ensemble.exit_policy import load_exit
from smc_trading_agent.decision_engine.ensemble.experts import Expert, LogisticExpert, load_experts
from smc_trading_agent.decision_engine.ensemble.group import fuse_experts
from smc_trading_agent.decision_engine.ensemble.inputs import CONTEXT_COLUMNS, Floats, Scaler, context_row
from smc_trading_agent.decision_engine.ensemble.lanes import Answer, bits_of
from smc_trading_agent.decision_engine.ensemble.manifest import Manifest
from smc_trading_agent.decision_engine.ensemble.policy_outputs import POLICY, load_sizer
from smc_trading_agent.decision_engine.ensemble.pooling import LogOddsPool, Pooled
from smc_trading_agent.decision_engine.ensemble.schedule import FUSED, LEFT_APART, NO_DEADLINE, choose_schedule
from smc_trading_agent.decision_engine.ensemble.sessions import Row
from smc_trading_agent.domain.errors import ConfigError
from smc_trading_agent.domain.reasons import DriftLevel, ForecastSource, PredictionSet, RefusalReason, VoteStatus
from smc_trading_agent.domain.settings import EnsembleSettings, ModelSettings
from smc_trading_agent.domain.types import (
    Decision,
    FeatureShare,
    Forecast,
    HeldTrade,
    ModelsHealth,
    RefusalDetail,
    Setup,
    Vote,
)

NS_PER_MS = 1_000_000
HISTORY_BYTES = 8
TOP_FEATURES = 5


class OpenForecast(msgspec.Struct):
    """What was said of a setup whose outcome is open; ``counted`` and ``voted`` are P(win) by expert.

    ``prediction_set`` is None where the models did not decide.
    """

    counted: dict[str, float]
    voted: dict[str, float]
    prediction_set: PredictionSet | None
    chance: float


class ForecasterState(msgspec.Struct):
    """Everything that is remembered, each part by its own snapshot."""

    base: bytes
    pool: bytes
    conformal: bytes
    drift: bytes
    experts: dict[str, bytes]
    open_forecasts: dict[str, OpenForecast]
    exits: bytes = b""
    history: bytes = b""


class EnsembleForecaster:
    """P(win) of a setup from the models of a bundle; see the module, and `domain.ports.Forecaster`."""

    def __init__(
        self,
        bundle: Bundle,
        base: BaseRateForecaster,
        cache: VoteCache,
        models: ModelSettings,
        ensemble: EnsembleSettings,
        experts: tuple[Expert, ...] | None = None,
        instrument: str = "",
    ) -> None:
        """Loads and warms the models, and measures how to run them; ``experts`` takes the place of the bundle's own.

        ``instrument`` is the one whose bars are observed; needed where another cache stands behind ``cache``.

        Raises `BundleError` for a model that is not what it must be, `ConfigError` for a quorum that can't be met.
        """
        self._bundle = bundle
        self._base = base
        self._cache = cache
        self._quorum = models.quorum
        start = deepcopy(bundle.ensemble)  # what is learned from here on is this forecaster's, not the bundle's
        self._pool = LogOddsPool(start.weights, start.pool, start.recalibration)
        self._conformal = AdaptiveConformal(start.conformal)
        self._drift = DriftWatch(bundle.drift)
        self._context, self._stream = Scaler(bundle.normaliser.context), Scaler(bundle.normaliser.stream)
        self._experts = load_experts(bundle) if experts is None else experts
        self._names = frozenset(expert.name for expert in self._experts)
        self._capped = frozenset(name for name in self._names if self._pool.is_capped(name))
        self._free = self._names - self._capped
        if models.quorum > len(self._free):
            raise ConfigError(
                f"decision.models.quorum is {models.quorum}, bundle {bundle.bundle_id} has {len(self._free)} models "
                "without a cap on their weight; lower the quorum"
            )
        sample = np.full(self._stream.width, 0.1, dtype=np.float32), np.full(self._context.width, 0.1, dtype=np.float32)
        deadline_ns = round(models.deadline_ms * NS_PER_MS)
        group = None if deadline_ns == NO_DEADLINE else fuse_experts(bundle, self._experts)
        self._schedule, self._report = choose_schedule(self._experts, deadline_ns, ensemble, *sample, group)
        self._explainer = next((expert for expert in self._experts if isinstance(expert, LogisticExpert)), None)
        self._history, self._machine = b"", bits_of(self._experts, *sample) if cache.shared else ""
        self._instrument, self._bar = instrument, 0
        self._of_key = ""
        self._open: dict[str, OpenForecast] = {}
        self._newest: tuple[str, OpenForecast] | None = None
        self._votes: Counter[tuple[str, VoteStatus]] = Counter()
        self._sizer = load_sizer(bundle)
        self._exits = load_exit(bundle) if models.policy_exit else None
        self._shown: Floats | None = None  # the features of the last close

    @property
    def bundle_id(self) -> str:
        """Content hash of the models that are served."""
        return self._bundle.bundle_id

    @property
    def manifest(self) -> Manifest:
        """What the bundle says of itself."""
        return self._bundle.manifest

    def observe(self, bars: Bars, start: int, stop: int) -> None:
        """Learns from the setups that these bars ended, from each as it was judged when it was new."""
        if self._cache.shared and start < stop:
            self._bar = bars[stop - 1].close_time
        for setup_id, won in self._base.resolve(bars, start, stop):
            judged = self._open.pop(setup_id, None)
            if judged is None or won is None:
                continue
            self._pool.resolve(judged.counted, won)
            if judged.prediction_set is not None:
                self._conformal.resolve(judged.prediction_set, won)
            for expert, probability in judged.voted.items():
                self._drift.on_label(expert, probability, judged.chance, won)

    def on_close(self, features: tuple[float, ...]) -> None:
        """Shows a close to the models with state, and to the drift watch."""
        self._shown = None
        row = np.array(features, dtype=np.float64)
        close = self._stream.apply(row)
        self._history = hashlib.blake2b(self._history + close.tobytes(), digest_size=HISTORY_BYTES).digest()
        if self._cache.shared:
            # Only processes that saw the same closes, and whose machines round alike, have votes in common.
            self._of_key = f"{self._history.hex()}{self._machine}"
            self._cache.expect(self._key(self._instrument, self._bar, ""))
        self._schedule.on_close(close)
        self._drift.on_close(row)
        self._shown = row

    def settle(self) -> None:
        """Lets the models with state step through the close, so that the next decision need not."""
        self._schedule.settle()

    def forecast(self, setup: Setup, recorded: Forecast | None = None) -> Forecast:
        """The pooled P(win) with its set, its votes, and the reasons to abstain."""
        base = self._base.forecast(setup)
        context = context_row(setup, base.break_even)
        scaled = self._context.apply(context)
        answers = self._answers(setup, scaled, recorded)
        dropped, calibrators = self._drift.dropped, self._bundle.calibrators
        voted = {
            name: calibrators[name].apply(answer.log_odds)
            for name, answer in answers.items()
            if answer.log_odds is not None
        }
        counted = {name: voted[name] for name in voted if name not in dropped} if dropped else voted
        free = len(counted) - len(self._capped.intersection(counted))
        pooled = self._pool.pool(counted, self._drift.level is DriftLevel.NONE) if free else None
        at_rest = self._drift.level is DriftLevel.STOP or len(self._free - dropped) < self._quorum
        probability = base.probability if pooled is None or at_rest else pooled.probability
        prediction_set = self._conformal.predict(probability, base.break_even)
        decided = None if at_rest or pooled is None else prediction_set
        self._newest = setup.setup_id, OpenForecast(counted, voted, decided, base.chance)
        votes = self._told(answers, voted, dropped, None if at_rest else pooled)
        if at_rest:
            return msgspec.structs.replace(base, bundle=self._bundle.bundle_id, votes=votes)
        return Forecast(
            setup_id=base.setup_id,
            source=ForecastSource.ENSEMBLE,
            probability=probability,
            break_even=base.break_even,
            chance=base.chance,
            samples=base.samples,
            wins=base.wins,
            bundle=self._bundle.bundle_id,
            votes=votes,
            disagreement=0.0 if pooled is None else pooled.disagreement,
            prediction_set=prediction_set,
            abstentions=self._abstentions(free, pooled, prediction_set, probability, base.break_even),
            explained_by="" if self._explainer is None else self._explainer.name,
            top_features=self._top_features(context, scaled),
            size_multiplier=self._size(scaled, counted, base.size_multiplier),
        )

    def taken(self, decision: Decision) -> None:
        """Takes note of what may come to be held, for the policy that may leave it."""
        if self._exits is not None:
            self._exits.taken(decision)

    def leaves(self, held: HeldTrade, bar: Bar) -> bool:
        """What the policy says, where it is asked at all and drift has not put it to rest."""
        if self._exits is None or self._shown is None:
            return False
        wish = self._exits.leaves(held, bar, self._shown)  # also where it is at rest: it follows what is held
        return wish and self._drift.level is not DriftLevel.STOP and POLICY not in self._drift.dropped

    def follow(self, setup: Setup) -> None:
        """Starts watching a setup; what was said of it first is what will be learned from."""
        self._base.follow(setup)
        setup_id, judged = self._newest or ("", None)
        if judged is not None and setup_id == setup.setup_id and self._base.follows(setup_id):
            self._open.setdefault(setup_id, judged)

    @property
    def cache_hit_rate(self) -> float:
        """Share of forecasts whose votes came from the cache."""
        return self._cache.hit_rate

    def health(self) -> ModelsHealth:
        """What is served and how it does; callable from any thread."""
        votes: dict[str, dict[str, int]] = {expert.name: {} for expert in self._experts}
        for (name, status), count in dict(self._votes).items():
            votes[name][status.value] = count
        manifest, state, schedule = self._bundle.manifest, self._pool.state, self._report
        if schedule.chosen == FUSED and not self._schedule.fused:
            schedule = msgspec.structs.replace(schedule, chosen=LEFT_APART)
        return ModelsHealth(
            bundle=manifest.bundle_id,
            signed_by=self._bundle.signed_by,
            verdict=manifest.verdict,
            schedule=schedule,
            votes=votes,
            weights=dict(state.weights),
            resolved=state.resolved,
            cache_hit_rate=self._cache.hit_rate,
            drift=self._drift.level.value,
            drifted_columns=tuple(FEATURE_NAMES[place] for place in self._drift.drifted_columns),
            dropped=tuple(sorted(self._drift.dropped)),
            lose_alpha=self._conformal.state.lose.alpha,
            drift_detail=self._drift.health(),
            shared_cache=self._cache.health(),
        )

    def close(self) -> None:
        """Ends the threads that run models, and the one of the shared cache."""
        self._schedule.close()
        self._cache.close()

    def snapshot(self) -> bytes:
        """The whole state; the cache is none: it holds nothing that can't be computed again."""
        return msgspec.msgpack.encode(
            ForecasterState(
                base=self._base.snapshot(),
                pool=self._pool.snapshot(),
                conformal=self._conformal.snapshot(),
                drift=self._drift.snapshot(),
                experts={expert.name: expert.snapshot() for expert in self._experts},
                open_forecasts=self._open,
                exits=b"" if self._exits is None else self._exits.snapshot(),
                history=self._history,
            )
        )

    def restore(self, data: bytes) -> None:
        """Continues exactly from a snapshot."""
        state = msgspec.msgpack.decode(data, type=ForecasterState)
        self._base.restore(state.base)
        self._pool.restore(state.pool)
        self._conformal.restore(state.conformal)
        self._drift.restore(state.drift)
        for expert in self._experts:
            expert.restore(state.experts[expert.name])
        self._open, self._history = state.open_forecasts, state.history
        if self._exits is not None and state.exits:
            self._exits.restore(state.exits)

    def _answers(self, setup: Setup, context: Row, recorded: Forecast | None) -> Mapping[str, Answer]:
        """Votes from the cache or the models; in a replay, from the models, but for those that were missing then."""
        if recorded is not None:
            missing = {vote.expert: vote.status for vote in recorded.votes if vote.log_odds is None}
            return self._schedule.ask(context, wait=True, leave_out=missing)
        key = self._key(setup.instrument, setup.detected_at, setup.setup_id)
        kept = self._cache.get(key)
        if kept is not None and kept.keys() == self._names:
            return {expert.name: Answer(VoteStatus.COUNTED, kept[expert.name]) for expert in self._experts}
        answers = self._schedule.ask(context)
        given = {name: answer.log_odds for name, answer in answers.items() if answer.log_odds is not None}
        if len(given) == len(answers):
            self._cache.put(key, given)
        return answers

    def _key(self, instrument: str, bar: int, setup_id: str) -> CacheKey:
        manifest = self._bundle.manifest
        return CacheKey(manifest.bundle_id, manifest.feature_schema, instrument, bar, self._of_key, setup_id)

    def _told(
        self, answers: Mapping[str, Answer], voted: Mapping[str, float], dropped: frozenset[str], pooled: Pooled | None
    ) -> tuple[Vote, ...]:
        weights = {} if pooled is None else pooled.weights
        votes = []
        for expert in self._experts:
            name, answer = expert.name, answers[expert.name]
            gone = answer.status is VoteStatus.COUNTED and name in dropped
            status = VoteStatus.DROPPED if gone else answer.status
            self._votes[name, status] += 1
            votes.append(Vote(name, status, answer.log_odds, voted.get(name), weights.get(name, 0.0)))
        return tuple(votes)

    def _abstentions(
        self,
        free: int,
        pooled: Pooled | None,
        prediction_set: PredictionSet,
        probability: float,
        break_even: float,
    ) -> tuple[RefusalDetail, ...]:
        details, most = [], self._bundle.ensemble.max_disagreement
        if free < self._quorum:
            details.append(RefusalDetail(RefusalReason.QUORUM, {"voted": str(free), "quorum": str(self._quorum)}))
        if pooled is not None and not pooled.disagreement <= most:
            numbers = {"disagreement": f"{pooled.disagreement:.4f}", "max_disagreement": f"{most:.4f}"}
            details.append(RefusalDetail(RefusalReason.DISAGREEMENT, numbers))
        if prediction_set is not PredictionSet.WIN:
            numbers = {
                "set": prediction_set.value,
                "probability": f"{probability:.4f}",
                "break_even": f"{break_even:.4f}",
                "alpha": f"{self._conformal.state.lose.alpha:.4f}",
            }
            details.append(RefusalDetail(RefusalReason.CONFORMAL, numbers))
        return tuple(details)

    def _size(self, scaled: Row, counted: Mapping[str, float], full: float) -> float:
        """The policy's share of the size; ``full`` where its vote does not count.

        ``full`` is the field's default, the very object: by that the journal knows that there is nothing to write.
        """
        if self._sizer is None or POLICY not in counted:
            return full
        size = self._sizer.size(scaled)
        return full if size == full else size

    def _top_features(self, context: Floats, scaled: Row) -> tuple[FeatureShare, ...]:
        """The columns that move the logistic expert most; trees and networks give no shares at this price."""
        if self._explainer is None:
            return ()
        shares = self._explainer.contributions(scaled)
        return tuple(
            [
                FeatureShare(CONTEXT_COLUMNS[place], context.item(place), shares.item(place))
                for place in largest_of(shares, TOP_FEATURES)
            ]
        )
