"""Which limits a run has, how they differ from those of the account's last run, and whether that may be."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from smc_trading_agent.domain.errors import LimitsLoosened
from smc_trading_agent.domain.risk_settings import RiskSettings
from smc_trading_agent.domain.settings import Settings
from smc_trading_agent.domain.types import LimitsChange
from smc_trading_agent.persistence.journal import SqliteJournal
from smc_trading_agent.risk_manager.limits import changed_limits, limit_values, limits_hash, loosened_limits
from smc_trading_agent.runtime.explanation import journals_under

log = logging.getLogger("smc_trading_agent")
KIND = "limits"
FIRST = "first start of this account"


class LimitsInForce(msgspec.Struct, frozen=True):
    """The limits of the settings, or of an account's journal, with who brought them and why."""

    source: str
    limits_hash: str
    limits: dict[str, Any]
    actor: str = ""
    reason: str = ""
    loosened: tuple[str, ...] = ()


def effective_risk(settings: Settings) -> RiskSettings:
    """The limits that settings come to: research that trades every setup has no edge that Kelly could size."""
    if not settings.decision.take_every_setup:
        return settings.risk
    return settings.risk.model_copy(update={"kelly_fraction": None})


def last_limits(journal: SqliteJournal) -> LimitsChange | None:
    """The newest limits of an account's journal, None before its first."""
    facts = deque(journal.facts(kind=KIND), maxlen=1)
    return msgspec.json.decode(facts[0].payload, type=LimitsChange) if facts else None


def change_of(before: dict[str, Any], risk: RiskSettings, cursor: int, time: int) -> LimitsChange | None:
    """What these settings change at a place in the market, None where they change nothing."""
    after = limit_values(risk)
    changed = changed_limits(before, after)
    if not changed:
        return None
    reason = risk.change_reason or ("" if before else FIRST)
    loosened = loosened_limits(before, after)
    return LimitsChange(cursor, time, limits_hash(after), after, changed, loosened, risk.change_actor, reason)


def demand_reason(settings: Settings, journal: SqliteJournal) -> None:
    """Raises `LimitsLoosened` where production would loosen a limit without saying why; logs who loosens what."""
    last = last_limits(journal)
    change = None if last is None else change_of(last.limits, effective_risk(settings), 0, 0)
    if change is None or not change.loosened:
        return
    told = "; ".join(f"{name} {change.changed[name]}" for name in change.loosened)
    if settings.app.environment == "production" and not change.reason:
        raise LimitsLoosened(
            f"limits would be loosened without a reason: {told}; "
            "say why with --reason (or risk.change_reason), or set them back"
        )
    log.warning("limits loosened by %s: %s (%s)", change.actor, told, change.reason or "no reason given")


def limits_in_force(settings: Settings) -> list[LimitsInForce]:
    """The limits of the settings, then those in force in each account that is kept, the newest first."""
    risk = effective_risk(settings)
    values = limit_values(risk)
    found = [LimitsInForce("settings", limits_hash(values), values)]
    return found + list(_kept(journals_under(Path(settings.app.state_dir))))


def _kept(files: Iterable[Path]) -> Iterable[LimitsInForce]:
    for file in files:
        with SqliteJournal(file) as journal:
            last = last_limits(journal)
        if last is not None:
            yield LimitsInForce(file.parent.name, last.limits_hash, last.limits, last.actor, last.reason, last.loosened)
