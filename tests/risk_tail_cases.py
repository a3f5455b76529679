"""The checks of tail risk at their boundaries, and what a case of any check is; see `tests.risk_cases`."""

from __future__ import annotations

from typing import Any, NamedTuple

from smc_trading_agent.risk_manager.checks import tail_risk
from smc_trading_agent.risk_manager.checks.question import Check, Question
from tests.factories import EQUITY, NOW, QUARTER, question, risk_settings


class Cases(NamedTuple):
    """Questions that pass and that refuse; ``compared`` are ``part.field`` that the check compares."""

    passes: list[Question]
    refuses: list[Question]
    compared: tuple[str, ...]


def risky(of_risk: dict[str, Any], tighten_ppm: int = 1_000_000, now: int = NOW, **limits: Any) -> Question:
    return question(of_risk=of_risk, tighten_ppm=tighten_ppm, now=now, settings=risk_settings(**limits))


UNLOOKED: dict[str, Any] = {"max_value_at_risk": None, "max_shortfall": None, "max_stress_loss": None}
FEW: dict[str, Any] = {"unknown": "few_scenarios", "remedy": "feed the closes of more bars"}
WORTH = EQUITY // 100
TAIL_RISK: dict[Check, Cases] = {
    tail_risk.known_risk: Cases(
        [
            question(),
            risky({}, now=NOW + 2 * QUARTER, max_risk_age_bars=2),
            risky({}, now=NOW + 2 * QUARTER - 1, max_risk_age_bars=2),
            risky(FEW, **UNLOOKED),
            risky({"data_time": 0}, **UNLOOKED),
            risky({}, max_risk_age_bars=0),
        ],
        [
            risky({}, now=NOW + 2 * QUARTER + 1, max_risk_age_bars=2),
            risky({}, now=NOW - 1),
            risky({}, now=NOW + 1, max_risk_age_bars=0),
            risky(FEW),
            *(risky(FEW, **(UNLOOKED | {name: 1.0})) for name in UNLOOKED),
        ],
        ("risk.data_time", "risk.bar_ns", "question.now"),
    ),
    tail_risk.value_at_risk: Cases(
        [
            risky({"value_at_risk": WORTH // 20}),
            risky({"value_at_risk": WORTH // 20 - 1}),
            risky({"value_at_risk": WORTH // 20 + 1, "value_at_risk_before": WORTH // 20 + 2}),
            risky({"value_at_risk": WORTH // 40}, 2_000_000),
            risky({"value_at_risk": 0}, max_value_at_risk=0),
            risky({"value_at_risk": WORTH}, max_value_at_risk=None),
        ],
        [
            risky({"value_at_risk": WORTH // 20 + 1}),
            risky({"value_at_risk": WORTH // 20 + 1, "value_at_risk_before": WORTH // 20 + 1}),
            risky({"value_at_risk": WORTH // 40 + 1}, 2_000_000),
            risky({"value_at_risk": 1}, max_value_at_risk=0),
            question(of_account={"equity": -1}, of_risk={"value_at_risk": 0}),
        ],
        ("risk.value_at_risk", "account.equity"),
    ),
    tail_risk.shortfall: Cases(
        [
            risky({"shortfall": WORTH * 6 // 100}),
            risky({"shortfall": WORTH * 6 // 100 - 1}),
            risky({"shortfall": WORTH, "shortfall_before": WORTH + 1}),
            risky({"shortfall": WORTH * 3 // 100}, 2_000_000),
            risky({"shortfall": WORTH}, max_shortfall=None),
        ],
        [
            risky({"shortfall": WORTH * 6 // 100 + 1}),
            risky({"shortfall": WORTH, "shortfall_before": WORTH}),
            risky({"shortfall": WORTH * 3 // 100 + 1}, 2_000_000),
            risky({"shortfall": 1}, max_shortfall=0),
        ],
        ("risk.shortfall", "account.equity"),
    ),
    tail_risk.stress_loss: Cases(
        [
            risky({"stress_loss": 20 * WORTH}),
            risky({"stress_loss": 20 * WORTH - 1}),
            risky({"stress_loss": 20 * WORTH}, 2_000_000),
            risky({"stress_loss": 99 * WORTH}, max_stress_loss=None),
        ],
        [risky({"stress_loss": 20 * WORTH + 1}), risky({"stress_loss": 1}, max_stress_loss=0)],
        ("risk.stress_loss", "account.equity"),
    ),
    tail_risk.concentration: Cases(
        [
            question(),
            risky({"largest_share_ppm": 600_000, "herfindahl_ppm": 520_000}, max_asset_share=0.6, max_herfindahl=0.52),
            risky({"largest_share_ppm": 599_999}, max_asset_share=0.6),
            risky({"herfindahl_ppm": 519_999}, max_herfindahl=0.52),
            risky({"largest_share_ppm": 0, "herfindahl_ppm": 0}, max_asset_share=0, max_herfindahl=0),
        ],
        [
            risky({"largest_share_ppm": 600_001}, max_asset_share=0.6),
            risky({"herfindahl_ppm": 520_001}, max_herfindahl=0.52),
            risky({}, max_asset_share=0.999999),
            risky({}, max_herfindahl=0),
        ],
        ("risk.largest_share_ppm", "risk.herfindahl_ppm"),
    ),
    tail_risk.cluster_exposure: Cases(
        [
            risky({"cluster_exposure": 20 * WORTH}),
            risky({"cluster_exposure": 20 * WORTH - 1}),
            risky({"cluster_exposure": 99 * WORTH}, max_cluster_exposure=None),
        ],
        [risky({"cluster_exposure": 20 * WORTH + 1}), risky({"cluster_exposure": 1}, max_cluster_exposure=0)],
        ("risk.cluster_exposure", "account.equity"),
    ),
}
