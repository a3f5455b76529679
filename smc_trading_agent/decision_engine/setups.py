"""Two sequences of market structure that make a setup, told forward and never backwards.

Reversal: a liquidity sweep, then a change of character against it within `sweep_to_shift_bars`, then a
return into the order block or fair value gap of that move within `return_bars`.
Continuation: a break of structure, then a return into its order block or gap while price is in the discount
(for buying) or premium (for selling) half of the dealing range.
Both need the bias of the next higher timeframe on their side. The stop lies beyond the structure, the target
at the nearest opposite liquidity that is worth the risk.
"""

from __future__ import annotations

import math
from collections import deque

import msgspec

from smc_trading_agent._core import Bar, Event, Step, timeframe_ns
from smc_trading_agent.domain.ids import content_id
from smc_trading_agent.domain.ports import StructureReader
from smc_trading_agent.domain.reasons import SetupKind
from smc_trading_agent.domain.settings import DecisionSettings
from smc_trading_agent.domain.types import Evidence, Setup

BREAKS = frozenset({"bos", "choch"})
TOUCHES = frozenset({"order_block_touched", "fair_value_gap_touched"})
ENDS = frozenset({"order_block_invalidated", "order_block_expired"})


class Sweep(msgspec.Struct):
    """The newest sweep that speaks for one side, with the bar it happened on."""

    evidence: Evidence
    bar_index: int


class ArmedZone(msgspec.Struct):
    """A break with its block and gaps, waiting for price to come back."""

    kind: SetupKind
    side: int
    born: int
    stop_from: int
    break_time: int
    block_id: int
    block: Evidence
    trail: list[Evidence]
    zones: dict[int, Evidence]


class FinderState(msgspec.Struct):
    """Everything the finder remembers between two bars."""

    bar_index: int = 0
    extremes: list[tuple[int, int]] = []
    sweeps: dict[int, Sweep] = {}
    gaps: dict[int, Evidence] = {}
    armed: list[ArmedZone] = []


class StructureSetups:
    """Finds setups at each close of the decision timeframe; see the module for the two sequences."""

    def __init__(self, instrument: str, decision_timeframe: str, context: str, settings: DecisionSettings) -> None:
        self._instrument = instrument
        self._timeframe = decision_timeframe
        self._context = context
        self._settings = settings
        self._bar_ns = timeframe_ns(decision_timeframe)
        self._memory = settings.sweep_to_shift_bars + settings.return_bars + 2
        self._state = FinderState()
        self._extremes: deque[tuple[int, int]] = deque(maxlen=self._memory)

    def find(self, step: Step, bar: Bar, reader: StructureReader) -> list[Setup]:
        """Setups that became known at the close of ``bar``."""
        state = self._state
        state.bar_index += 1
        self._extremes.append((bar.low, bar.high))
        breaks: dict[int, Event] = {}
        triggered: list[tuple[ArmedZone, Evidence]] = []
        for event in step.events:
            if event.timeframe != self._timeframe:
                continue
            kind = event.kind
            if kind in BREAKS:
                breaks[event.id] = event
            elif kind == "order_block":
                self._arm(event, breaks.get(event.source_id), bar)
            elif kind == "fair_value_gap":
                self._add_gap(event)
            elif kind == "liquidity_pool_swept":
                state.sweeps[event.direction] = Sweep(_evidence("sweep", event), state.bar_index)
            elif kind in TOUCHES:
                triggered.extend(self._touched(event))
            elif kind in ENDS:
                state.armed = [arm for arm in state.armed if arm.block_id != event.zone_id]
        self._forget()
        found = [self._setup(arm, zone, bar, reader) for arm, zone in triggered]
        return [setup for setup in found if setup is not None]

    def snapshot(self) -> bytes:
        """The whole state."""
        self._state.extremes = list(self._extremes)
        return msgspec.msgpack.encode(self._state)

    def restore(self, data: bytes) -> None:
        """Continues exactly from a snapshot."""
        self._state = msgspec.msgpack.decode(data, type=FinderState)
        self._extremes = deque(self._state.extremes, maxlen=self._memory)

    def _arm(self, block: Event, cause: Event | None, bar: Bar) -> None:
        if cause is None:
            return
        state, side = self._state, cause.direction
        trail, stop_from = [_evidence(cause.kind, cause)], state.bar_index
        kind = SetupKind.CONTINUATION
        if cause.kind == "choch":
            sweep = state.sweeps.get(side)
            if sweep is None or state.bar_index - sweep.bar_index > self._settings.sweep_to_shift_bars:
                return
            kind, stop_from = SetupKind.REVERSAL, sweep.bar_index
            trail.insert(0, sweep.evidence)
        evidence = _evidence("order_block", block)
        zones = {block.id: evidence}
        zones.update(
            (gap_id, gap)
            for gap_id, gap in state.gaps.items()
            if gap.direction == side and gap.formed_at >= block.formed_at
        )
        state.armed = [arm for arm in state.armed if arm.side != side or arm.kind != kind]
        state.armed.append(
            ArmedZone(
                kind=kind,
                side=side,
                born=state.bar_index,
                stop_from=stop_from,
                break_time=bar.open_time,
                block_id=block.id,
                block=evidence,
                trail=trail,
                zones=zones,
            )
        )

    def _add_gap(self, event: Event) -> None:
        gap = _evidence("fair_value_gap", event)
        self._state.gaps[event.id] = gap
        for arm in self._state.armed:
            if arm.side == gap.direction and arm.block.formed_at <= gap.formed_at <= arm.break_time:
                arm.zones[event.id] = gap

    def _touched(self, event: Event) -> list[tuple[ArmedZone, Evidence]]:
        state = self._state
        hits = [arm for arm in state.armed if event.zone_id in arm.zones and arm.born < state.bar_index]
        if not hits:
            return []
        state.armed = [arm for arm in state.armed if arm not in hits]
        return [] if event.ambiguous else [(arm, arm.zones[event.zone_id]) for arm in hits]

    def _forget(self) -> None:
        state = self._state
        state.armed = [arm for arm in state.armed if state.bar_index - arm.born < self._settings.return_bars]
        while len(state.gaps) > self._memory:
            del state.gaps[next(iter(state.gaps))]

    def _setup(self, arm: ArmedZone, zone: Evidence, bar: Bar, reader: StructureReader) -> Setup | None:
        bias = reader.bias(self._context, "internal")
        atr = reader.atr(self._timeframe)
        if bias != arm.side or not math.isfinite(atr) or atr <= 0:
            return None
        entry, stop = bar.close, self._stop(arm, bar.close, atr)
        if (entry - stop) * arm.side <= 0 or stop <= 0 or not self._well_placed(arm, entry, reader):
            return None
        target = self._target(arm.side, entry, abs(entry - stop), reader)
        if target is None:
            return None
        settings = self._settings
        return Setup(
            setup_id=content_id(
                "s", self._instrument, self._timeframe, arm.kind, arm.side, zone.event_id, bar.close_time
            ),
            instrument=self._instrument,
            timeframe=self._timeframe,
            kind=arm.kind,
            side=arm.side,
            entry=entry,
            stop=stop,
            target=target.low if arm.side > 0 else target.high,
            detected_at=bar.close_time,
            entry_expires_at=bar.close_time + settings.entry_valid_bars * self._bar_ns,
            time_limit_ns=settings.time_limit_bars * self._bar_ns,
            higher_timeframe_bias=bias,
            evidence=(*arm.trail, zone, target),
            features=reader.features(),
        )

    def _stop(self, arm: ArmedZone, entry: int, atr: float) -> int:
        bars = list(self._extremes)[-(self._state.bar_index - arm.stop_from + 1) :]
        buffer, floor = self._settings.stop_buffer_atr * atr, self._settings.min_stop_atr * atr
        if arm.side > 0:
            edge = min(arm.block.low, *(low for low, _ in bars))
            return math.floor(min(edge - buffer, entry - floor))
        edge = max(arm.block.high, *(high for _, high in bars))
        return math.ceil(max(edge + buffer, entry + floor))

    def _well_placed(self, arm: ArmedZone, entry: int, reader: StructureReader) -> bool:
        if arm.kind is SetupKind.REVERSAL:
            return True
        dealing = reader.dealing_range(self._timeframe)
        if dealing is None or dealing[0] >= dealing[1]:
            return False
        position = (entry - dealing[0]) / (dealing[1] - dealing[0])
        return position < 0.5 if arm.side > 0 else position > 0.5

    def _target(self, side: int, entry: int, risk: int, reader: StructureReader) -> Evidence | None:
        nearest: Evidence | None = None
        least = self._settings.min_reward_risk * risk
        most = self._settings.max_reward_risk * risk
        for timeframe in reader.timeframes:
            for zone in reader.zones(timeframe):
                if zone.kind != "liquidity_pool" or zone.side != side:
                    continue
                distance = zone.low - entry if side > 0 else entry - zone.high
                if least <= distance <= most:
                    most = distance
                    nearest = Evidence(
                        role="target",
                        kind=zone.kind,
                        timeframe=timeframe,
                        event_id=zone.id,
                        direction=zone.direction,
                        formed_at=zone.formed_at,
                        confirmed_at=zone.confirmed_at,
                        low=zone.low,
                        high=zone.high,
                    )
        return nearest


def _evidence(role: str, event: Event) -> Evidence:
    return Evidence(
        role=role,
        kind=event.kind,
        timeframe=event.timeframe,
        event_id=event.id,
        direction=event.direction,
        formed_at=event.formed_at,
        confirmed_at=event.confirmed_at,
        low=event.low,
        high=event.high,
    )
