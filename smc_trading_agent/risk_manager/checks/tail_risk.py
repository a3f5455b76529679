"""What the book could lose with the order in it: value at risk, shortfall, stresses, and assets that go together."""

from __future__ import annotations

from smc_trading_agent.domain.costs import PPM
from smc_trading_agent.domain.reasons import RefusalReason
from smc_trading_agent.risk_manager.checks.question import PASS, Question, Refusals, percent, refuse, seconds


def known_risk(q: Question) -> Refusals:
    """Where any figure is limited, there must be one, and it must rest on a young close. The others lean on this."""
    amounts, risk = q.amounts, q.risk
    if amounts.looks_at_risk is False:
        return PASS
    if risk.unknown:
        return refuse(RefusalReason.RISK_UNKNOWN, why=risk.unknown, remedy=risk.remedy)
    age, most = q.now - risk.data_time, q.limits.risk_age_bars * risk.bar_ns
    if 0 <= age <= most:
        return PASS
    return refuse(
        RefusalReason.RISK_UNKNOWN, why="stale", age_seconds=seconds(age), max_seconds=seconds(most),
        remedy="the decision bars have stopped: see the feed",
    )  # fmt: skip


def value_at_risk(q: Question) -> Refusals:
    """Value at risk with the order must be within its limit, or be less than without it."""
    risk, limit = q.risk, q.amounts.value_at_risk
    if limit is None or risk.value_at_risk <= limit or risk.unknown or risk.value_at_risk < risk.value_at_risk_before:
        return PASS
    return _beyond(q, RefusalReason.MAX_VALUE_AT_RISK, risk.value_at_risk, risk.value_at_risk_before, limit)


def shortfall(q: Question) -> Refusals:
    """Expected shortfall likewise."""
    risk, limit = q.risk, q.amounts.shortfall
    if limit is None or risk.shortfall <= limit or risk.unknown or risk.shortfall < risk.shortfall_before:
        return PASS
    return _beyond(q, RefusalReason.MAX_SHORTFALL, risk.shortfall, risk.shortfall_before, limit)


def stress_loss(q: Question) -> Refusals:
    """The loss in the worst named stress must be within its limit."""
    risk, limit = q.risk, q.amounts.stress
    if limit is None or risk.stress_loss <= limit or risk.unknown:
        return PASS
    return refuse(
        RefusalReason.MAX_STRESS_LOSS, stress=risk.worst_stress, loss=cents(risk.stress_loss), limit=cents(limit)
    )


def concentration(q: Question) -> Refusals:
    """No asset may be too much of gross exposure, nor all of them together too few."""
    risk, share, index = q.risk, q.limits.asset_share_ppm, q.limits.herfindahl_ppm
    if risk.largest_share_ppm <= share and risk.herfindahl_ppm <= index:
        return PASS
    return refuse(
        RefusalReason.CONCENTRATION,
        largest_share=percent(risk.largest_share_ppm),
        max_share=percent(share),
        herfindahl=f"{risk.herfindahl_ppm / PPM:g}",
        max_herfindahl=f"{index / PPM:g}",
    )


def cluster_exposure(q: Question) -> Refusals:
    """Assets that go together must not exceed their limit together; what can't be known goes with everything."""
    risk, limit = q.risk, q.amounts.cluster
    if limit is None or risk.cluster_exposure <= limit:
        return PASS
    return refuse(
        RefusalReason.MAX_CLUSTER_EXPOSURE,
        cluster=risk.cluster,
        exposure=cents(risk.cluster_exposure),
        limit=cents(limit),
        correlation=f"{q.limits.cluster_correlation:g}",
    )


def cents(amount: int) -> str:
    """Cents as a decimal for people."""
    return f"{amount / 100:.2f}"


def _beyond(q: Question, reason: RefusalReason, after: int, before: int, limit: int) -> Refusals:
    tightened = f"{q.amounts.tighten_ppm / PPM:g}"
    return refuse(
        reason, would_be=cents(after), before=cents(before), limit=cents(limit),
        limit_divided_by=tightened, scenarios=q.risk.scenarios,
    )  # fmt: skip
