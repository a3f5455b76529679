//! Exact position and cash of one instrument from its fills.
//!
//! At every moment, for every mark and without any rounding,
//! `equity(mark) == start cash + sum(-side * quantity * price) + position * mark - sum(fee)`.

use super::Position;
use crate::market::Instrument;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A linear contract's account: average-cost position, cash, fees, and the fills already booked.
///
/// The ids of all booked fills are kept, so that a fill delivered again is recognised over the whole life
/// of the account; they are the only part that grows (some 40 bytes a fill).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    instrument: Instrument,
    start_cash: i128,
    position: Position,
    realised: i128,
    fees: i128,
    booked: BTreeSet<String>,
}

/// Why a fill cannot be booked; the ledger is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The side is neither buy nor sell.
    #[error("fill {fill_id:?}: side is {side}; use +1 (buy) or -1 (sell)")]
    BadSide {
        /// The fill's id.
        fill_id: String,
        /// The side given.
        side: i8,
    },
    /// Quantity and price must be positive.
    #[error("fill {fill_id:?}: {name} is {value}; it must be positive")]
    NotPositive {
        /// The fill's id.
        fill_id: String,
        /// `quantity` or `price`.
        name: &'static str,
        /// The value given.
        value: i64,
    },
    /// Without an id a repeated delivery could not be recognised.
    #[error("the fill has an empty id; use the venue's trade id")]
    EmptyFillId,
    /// The sums would leave their integer range.
    #[error("fill {fill_id:?}: position or cash would overflow; check its quantity, price and fee")]
    Overflow {
        /// The fill's id.
        fill_id: String,
    },
}

impl Ledger {
    /// An account that is flat and holds `cash` quote units.
    #[must_use]
    pub const fn new(instrument: Instrument, cash: i128) -> Self {
        Self { instrument, start_cash: cash, position: Position::FLAT, realised: 0, fees: 0, booked: BTreeSet::new() }
    }

    /// Books a fill of `quantity` lots at `price` ticks; a negative `fee` is a rebate.
    ///
    /// Returns `false`, with nothing changed, when a fill of that id was booked before.
    ///
    /// # Errors
    /// [`LedgerError`], with nothing changed, when the fill is no fill or does not fit.
    pub fn apply_fill(
        &mut self,
        fill_id: &str,
        side: i8,
        quantity: i64,
        price: i64,
        fee: i128,
    ) -> Result<bool, LedgerError> {
        if fill_id.is_empty() {
            return Err(LedgerError::EmptyFillId);
        }
        if self.booked.contains(fill_id) {
            return Ok(false);
        }
        if side != 1 && side != -1 {
            return Err(LedgerError::BadSide { fill_id: fill_id.to_owned(), side });
        }
        for (name, value) in [("quantity", quantity), ("price", price)] {
            if value <= 0 {
                return Err(LedgerError::NotPositive { fill_id: fill_id.to_owned(), name, value });
            }
        }
        let overflow = || LedgerError::Overflow { fill_id: fill_id.to_owned() };
        let (position, gain) = self.position.traded(i64::from(side) * quantity, price).ok_or_else(overflow)?;
        let realised = self.realised.checked_add(gain).ok_or_else(overflow)?;
        let fees = self.fees.checked_add(fee).ok_or_else(overflow)?;
        let after_fees = realised.checked_sub(fees).ok_or_else(overflow)?;
        self.start_cash.checked_add(after_fees).ok_or_else(overflow)?;
        (self.position, self.realised, self.fees) = (position, realised, fees);
        self.booked.insert(fill_id.to_owned());
        Ok(true)
    }

    /// The instrument of this account.
    #[must_use]
    pub const fn instrument(&self) -> &Instrument {
        &self.instrument
    }

    /// Start cash plus realised minus fees, in quote units.
    #[must_use]
    pub const fn cash(&self) -> i128 {
        self.start_cash + (self.realised - self.fees)
    }

    /// The position held.
    #[must_use]
    pub const fn position(&self) -> &Position {
        &self.position
    }

    /// Gain or loss of everything closed, before fees, in quote units.
    #[must_use]
    pub const fn realised(&self) -> i128 {
        self.realised
    }

    /// Fees paid less rebates, in quote units.
    #[must_use]
    pub const fn fees(&self) -> i128 {
        self.fees
    }

    /// Cash plus the unrealised result at `mark` ticks, in quote units.
    #[must_use]
    pub fn equity(&self, mark: i64) -> i128 {
        self.cash().saturating_add(self.position.unrealised(mark))
    }
}
