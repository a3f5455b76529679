//! What trading costs at the simulated venue: fees, half the spread, slippage.

use super::order::Liquidity;
use crate::market::Instrument;
use serde::{Deserialize, Serialize};

const MILLION: i128 = 1_000_000;

/// Fees and frictions; every rounding goes against the account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Costs {
    maker_fee_ppm: i64,
    taker_fee_ppm: i64,
    half_spread_ticks: i64,
    slippage_ppm: i64,
}

/// A cost outside its range.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {value}; it must lie in [{least}, {most}]")]
pub struct CostError {
    name: &'static str,
    value: i64,
    least: i64,
    most: i64,
}

impl Costs {
    /// Fees in parts per million of notional (a negative maker fee is a rebate), half spread in ticks,
    /// slippage in parts per million of price.
    ///
    /// # Errors
    /// [`CostError`] naming the first value outside its range.
    pub fn new(
        maker_fee_ppm: i64,
        taker_fee_ppm: i64,
        half_spread_ticks: i64,
        slippage_ppm: i64,
    ) -> Result<Self, CostError> {
        let ranges = [
            ("maker_fee_ppm", maker_fee_ppm, -100_000, 100_000),
            ("taker_fee_ppm", taker_fee_ppm, -100_000, 100_000),
            ("half_spread_ticks", half_spread_ticks, 0, 1_000_000_000),
            ("slippage_ppm", slippage_ppm, 0, 500_000),
        ];
        match ranges.into_iter().find(|&(_, value, least, most)| value < least || value > most) {
            Some((name, value, least, most)) => Err(CostError { name, value, least, most }),
            None => Ok(Self { maker_fee_ppm, taker_fee_ppm, half_spread_ticks, slippage_ppm }),
        }
    }

    /// The price a taker of `side` gets when the market prints `reference`: worse by half the spread and
    /// the slippage, the latter rounded up to a tick; never below one tick.
    #[must_use]
    pub fn taker_price(&self, side: i8, reference: i64) -> i64 {
        let slippage = ceil_div(i128::from(reference) * i128::from(self.slippage_ppm), MILLION);
        let worse = i128::from(reference) + i128::from(side) * (i128::from(self.half_spread_ticks) + slippage);
        worse.clamp(1, i128::from(i64::MAX)) as i64
    }

    /// Fee in quote units, rounded up (a rebate is rounded down in size).
    #[must_use]
    pub fn fee(&self, liquidity: Liquidity, price: i64, quantity: i64) -> i128 {
        let rate = match liquidity {
            Liquidity::Maker => self.maker_fee_ppm,
            Liquidity::Taker => self.taker_fee_ppm,
        };
        let notional = Instrument::notional(price, quantity);
        // Split, so that no product leaves 128 bits however large the notional.
        (notional / MILLION) * i128::from(rate) + ceil_div((notional % MILLION) * i128::from(rate), MILLION)
    }
}

/// Quotient rounded towards plus infinity, for a positive divisor.
const fn ceil_div(numerator: i128, divisor: i128) -> i128 {
    -(-numerator).div_euclid(divisor)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn takers_pay_the_spread_and_a_slippage_rounded_up() {
        let costs = Costs::new(0, 0, 2, 150).unwrap();
        // 150 ppm of 10,000 is 1.5 ticks, so 2.
        assert_eq!((costs.taker_price(1, 10_000), costs.taker_price(-1, 10_000)), (10_004, 9_996));
        assert_eq!(costs.taker_price(-1, 1), 1);
    }

    #[test]
    fn fees_round_up_and_rebates_round_down() {
        let costs = Costs::new(-100, 400, 0, 0).unwrap();
        assert_eq!(costs.fee(Liquidity::Taker, 2_501, 1), 2);
        assert_eq!(costs.fee(Liquidity::Taker, 2_500, 1), 1);
        assert_eq!(costs.fee(Liquidity::Maker, 19_999, 1), -1);
        assert_eq!(costs.fee(Liquidity::Taker, i64::MAX, i64::MAX), ceil_of_max());
    }

    fn ceil_of_max() -> i128 {
        let notional = i128::from(i64::MAX) * i128::from(i64::MAX);
        // 400 ppm is one part in 2,500.
        notional / 2_500 + i128::from(notional % 2_500 != 0)
    }

    #[test]
    fn a_cost_out_of_range_is_named() {
        let error = Costs::new(0, 0, -1, 0).unwrap_err();
        assert_eq!(error.to_string(), "half_spread_ticks is -1; it must lie in [0, 1000000000]");
    }
}
