//! The life of an order, and the exact position and cash that its fills leave behind.

mod ledger;
mod order_state;
mod position;
/// Which venues an order goes to, and for how much.
pub mod router;
/// How one parent order becomes many in time.
pub mod schedule;

pub use ledger::{Ledger, LedgerError};
pub use order_state::{OrderEvent, OrderState, ParseOrderNameError};
pub use position::Position;
