//! Trailing extremes: the highest high and the lowest low since the last pivot of their side, strong or weak.
//!
//! For a structure machine ([`super::structure`]), the **trailing high** is the highest high from the bar of its
//! last confirmed pivot high, included, to the last bar; of equal highs the first counts. It is **strong** if the
//! bias is down: from there price broke the structure below, so it is expected to hold. Else it is **weak**:
//! with the bias up, or none yet, it is a target. Lows mirror. A reading as of the last bar, without events: it moves
//! with every new extreme, and forward only. None before the first pivot of its side.

use serde::{Deserialize, Serialize};

use super::pivot::Pivot;
use crate::market::Bar;

/// The extreme of one side, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrailingExtreme {
    /// Its price.
    pub price: i64,
    /// Open time of the first bar that traded there.
    pub formed_at: i64,
    /// Whether the bias points away from it.
    pub strong: bool,
}

/// An extreme seen from its side: the high, or the negated low.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Reach {
    reach: i64,
    formed_at: i64,
}

/// Both extremes of one structure machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct TrailingExtremes {
    high: Option<Reach>,
    low: Option<Reach>,
}

impl TrailingExtremes {
    /// The extreme of `side` (+1 the high, -1 the low) under a bias.
    pub fn of(&self, side: i8, bias: i8) -> Option<TrailingExtreme> {
        let Reach { reach, formed_at } = (if side > 0 { self.high } else { self.low })?;
        let price = if side > 0 { reach } else { -reach };
        Some(TrailingExtreme { price, formed_at, strong: bias == -side })
    }

    /// Starts again from a pivot that was just confirmed: no later bar went beyond it.
    pub fn on_pivot(&mut self, pivot: Pivot) {
        let Pivot { side, price, formed_at } = pivot;
        let reach = i64::from(side) * price;
        *(if side > 0 { &mut self.high } else { &mut self.low }) = Some(Reach { reach, formed_at });
    }

    /// Adds a bar.
    pub fn push(&mut self, bar: &Bar) {
        for (extreme, reach) in [(&mut self.high, bar.high), (&mut self.low, -bar.low)] {
            if extreme.is_some_and(|known| reach > known.reach) {
                *extreme = Some(Reach { reach, formed_at: bar.open_time });
            }
        }
    }
}
