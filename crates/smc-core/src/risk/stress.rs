//! Named stresses: moves that happened, or might, whatever the window holds.

use super::RETURN_UNIT;

/// Units of a return in a basis point.
const BASIS_POINT: i64 = RETURN_UNIT / 10_000;

/// A move of every asset at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stress {
    /// Its name, as limits and reports give it.
    pub name: &'static str,
    /// Where the figures are from.
    pub source: &'static str,
    /// Moves by asset, basis points.
    pub moves: &'static [(&'static str, i64)],
    /// Move of every other asset, basis points.
    pub others: i64,
    /// Whether each position is moved against itself, by the size of its move, instead of all one way.
    pub against: bool,
}

const CLOSES: &str = "Binance spot, close to close of the UTC day, rounded away from zero; others: the worst of these";

/// Every stress, worst for longs first.
pub const STRESSES: &[Stress] = &[
    Stress {
        name: "covid_2020_03_12",
        source: CLOSES,
        moves: &[
            ("BTC", -3_951),
            ("ETH", -4_460),
            ("BNB", -4_414),
            ("XRP", -3_491),
            ("ADA", -4_133),
            ("LINK", -4_779),
            ("DOGE", -2_634),
        ],
        others: -4_779,
        against: false,
    },
    Stress {
        name: "china_ban_2021_05_19",
        source: CLOSES,
        moves: &[
            ("BTC", -1_438),
            ("ETH", -2_774),
            ("BNB", -3_408),
            ("XRP", -3_350),
            ("ADA", -2_682),
            ("LINK", -3_839),
            ("DOGE", -3_076),
            ("SOL", -3_750),
        ],
        others: -3_839,
        against: false,
    },
    Stress {
        name: "ftx_2022_11_09",
        source: CLOSES,
        moves: &[
            ("BTC", -1_415),
            ("ETH", -1_738),
            ("BNB", -1_836),
            ("XRP", -1_794),
            ("ADA", -1_470),
            ("LINK", -1_917),
            ("DOGE", -1_560),
            ("SOL", -4_225),
        ],
        others: -4_225,
        against: false,
    },
    Stress {
        name: "deleveraging_2025_10_10",
        source: "published accounts of 10 October 2025, not measured here: BTC 13 % in minutes, other coins up to 70 %",
        moves: &[("BTC", -1_300)],
        others: -7_000,
        against: false,
    },
    Stress {
        name: "squeeze_2017_12_07",
        source: "BTC: Binance spot, close to close of the UTC day; others: XRP's 73.1 % of 2023-07-13, same source",
        moves: &[("BTC", 2_251)],
        others: 7_310,
        against: false,
    },
    Stress {
        name: "everything_against",
        source: "our assumption: BTC's fall of 2020-03-12 and LINK's for all others, each against its position",
        moves: &[("BTC", 3_951)],
        others: 4_779,
        against: true,
    },
    Stress {
        name: "funding_shock",
        source: "our assumption: 2 % of every position in a day",
        moves: &[],
        others: 200,
        against: true,
    },
    Stress {
        name: "venue_loss",
        source: "our assumption: the venue keeps what its positions are worth",
        moves: &[],
        others: 10_000,
        against: true,
    },
];

impl Stress {
    /// The move of an asset, in [`RETURN_UNIT`]ths.
    #[must_use]
    pub fn of(&self, asset: &str) -> i64 {
        let named = self.moves.iter().find(|(name, _)| *name == asset);
        named.map_or(self.others, |(_, points)| *points) * BASIS_POINT
    }

    /// P&L of a notional, in units of money times [`RETURN_UNIT`].
    #[must_use]
    pub fn profit(&self, notional: i128, shock: i64) -> i128 {
        let product = notional * i128::from(shock);
        if self.against {
            -product.abs()
        } else {
            product
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_figures_sound() {
        for (at, stress) in STRESSES.iter().enumerate() {
            assert!(STRESSES[..at].iter().all(|other| other.name != stress.name));
            assert!(!stress.source.is_empty());
            let every = stress.moves.iter().map(|(_, points)| *points).chain([stress.others]);
            assert!(every.into_iter().all(|points| points >= -10_000 && points != 0));
        }
    }

    #[test]
    fn a_long_loses_where_a_short_gains_unless_everything_is_against() {
        let (fall, against) = (STRESSES[0], STRESSES[5]);
        assert_eq!(fall.of("BTC"), -39_510_000);
        assert_eq!(fall.of("PEPE"), -47_790_000);
        assert_eq!(fall.profit(1_000, fall.of("BTC")), -39_510_000_000);
        assert_eq!(fall.profit(-1_000, fall.of("BTC")), 39_510_000_000);
        assert_eq!(against.profit(-1_000, against.of("BTC")), -39_510_000_000);
    }
}
