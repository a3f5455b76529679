"""What trading costs, and the probability at which a trade just pays for itself."""

from __future__ import annotations

import msgspec

PPM = 1_000_000


class CostModel(msgspec.Struct, frozen=True):
    """Fees in parts per million of notional, half the spread in ticks, slippage of a taker fill in ppm."""

    maker_fee_ppm: int
    taker_fee_ppm: int
    half_spread_ticks: int
    slippage_ppm: int

    def taker_ticks(self, price: int) -> float:
        """Cost of one taker fill at ``price``, in ticks per lot."""
        return price * (self.taker_fee_ppm + self.slippage_ppm) / PPM + self.half_spread_ticks

    def maker_ticks(self, price: int) -> float:
        """Cost of one maker fill at ``price``, in ticks per lot."""
        return price * self.maker_fee_ppm / PPM

    def loss_ticks(self, entry: int, stop: int) -> float:
        """What a stopped trade loses per lot: the distance, a maker entry and a taker exit."""
        return self.loss_millionths(entry, stop) / PPM

    def loss_millionths(self, entry: int, stop: int) -> int:
        """`loss_ticks` in millionths of a tick, exact at any size."""
        fees = entry * self.maker_fee_ppm + stop * (self.taker_fee_ppm + self.slippage_ppm)
        return (abs(entry - stop) + self.half_spread_ticks) * PPM + fees

    def gain_ticks(self, entry: int, target: int) -> float:
        """What a trade that reaches its target gains per lot, both fills as maker."""
        return abs(target - entry) - self.maker_ticks(entry) - self.maker_ticks(target)

    def gain_millionths(self, entry: int, target: int) -> int:
        """`gain_ticks` in millionths of a tick, exact at any size."""
        return abs(target - entry) * PPM - (entry + target) * self.maker_fee_ppm

    def break_even(self, entry: int, stop: int, target: int) -> float:
        """Smallest P(win) whose expectation is not negative: loss / (loss + gain).

        From P * gain = (1 - P) * loss. 1.0 when even a win does not pay its costs.
        """
        loss, gain = self.loss_ticks(entry, stop), self.gain_ticks(entry, target)
        return 1.0 if gain <= 0 else loss / (loss + gain)

    def round_trip_ppm(self, price: int) -> int:
        """Round-trip cost of a maker entry and a taker exit, in ppm of notional at ``price`` ticks."""
        return round((self.maker_ticks(price) + self.taker_ticks(price)) / price * PPM)
