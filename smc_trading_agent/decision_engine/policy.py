"""When a forecast is worth an order: only where P(win) beats break-even after costs, on enough evidence."""

from __future__ import annotations

from smc_trading_agent.domain.ids import content_id
from smc_trading_agent.domain.reasons import ForecastSource, OrderPurpose, RefusalReason
from smc_trading_agent.domain.settings import DecisionSettings
from smc_trading_agent.domain.types import Forecast, Intent, Refusal, RefusalDetail, Setup

STAGE = "decision_engine"


class BreakEvenPolicy:
    """Turns a setup and its forecast into an intent, or says why not."""

    def __init__(self, settings: DecisionSettings) -> None:
        self._settings = settings

    def decide(self, setup: Setup, forecast: Forecast) -> Intent | Refusal:
        """An intent where the evidence suffices and P exceeds break-even by `min_edge`, or where models
        judged, by `models.margin` and none of their reasons to abstain holds; with `take_every_setup` always one."""
        decision_id = content_id("d", setup.setup_id)
        details = [] if self._settings.take_every_setup else self._objections(forecast)
        if details:
            return Refusal(decision_id, STAGE, setup.detected_at, tuple(details))
        return Intent(
            decision_id=decision_id,
            instrument=setup.instrument,
            purpose=OrderPurpose.ENTRY,
            side=setup.side,
            price=setup.entry,
            stop=setup.stop,
            target=setup.target,
            created_at=setup.detected_at,
            expires_at=setup.entry_expires_at,
            probability=forecast.probability,
            time_limit_ns=setup.time_limit_ns,
            size_multiplier=forecast.size_multiplier,
        )

    def _objections(self, forecast: Forecast) -> list[RefusalDetail]:
        details = list(forecast.abstentions)
        by_models = forecast.source == ForecastSource.ENSEMBLE
        margin = self._settings.models.margin if by_models else self._settings.min_edge
        needed = self._settings.min_samples
        # Models rest on the labels they were trained on; base rates on what has ended since the start alone.
        if not by_models and forecast.samples < needed:
            context = {"samples": str(forecast.samples), "min_samples": str(needed)}
            details.append(RefusalDetail(RefusalReason.INSUFFICIENT_EVIDENCE, context))
        # Written so that a NaN probability is refused.
        if not forecast.probability >= forecast.break_even + margin:
            context = {
                "probability": f"{forecast.probability:.4f}",
                "break_even": f"{forecast.break_even:.4f}",
                "margin" if by_models else "min_edge": f"{margin:.4f}",
            }
            details.append(RefusalDetail(RefusalReason.BELOW_BREAK_EVEN, context))
        return details
