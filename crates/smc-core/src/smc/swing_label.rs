//! Swing labels: how a pivot compares with the one before it on its side.
//!
//! A pivot high of a structure machine ([`super::structure`]) is a **higher high** if it lies above the pivot high
//! before it, else a **lower high**; a pivot low is a **lower low** if it lies below the pivot low before it,
//! else a **higher low**. So an equal high is a lower high and an equal low a higher low: neither went beyond. The
//! first pivot of a side has no label. Knowable when the pivot is, and never changed. A record of its own beside
//! the pivot, of which it speaks; its source is the pivot before it.

use serde::{Deserialize, Serialize};

use super::event::{EventKind, Fact, Scope, Sink};
use super::structure::ConfirmedPivot;

/// A pivot that later ones are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Before {
    id: u64,
    price: i64,
}

/// Labels the pivots of one structure machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwingLabels {
    scope: Scope,
    high: Option<Before>,
    low: Option<Before>,
}

impl SwingLabels {
    /// No pivots yet.
    #[must_use]
    pub const fn new(scope: Scope) -> Self {
        Self { scope, high: None, low: None }
    }

    /// Takes a pivot that was just confirmed.
    pub(crate) fn on_pivot(&mut self, confirmed: ConfirmedPivot, sink: &mut Sink<'_>) {
        let ConfirmedPivot { id, pivot } = confirmed;
        let slot = if pivot.side > 0 { &mut self.high } else { &mut self.low };
        let Some(before) = slot.replace(Before { id, price: pivot.price }) else { return };
        let (kind, direction) = if pivot.side > 0 {
            if pivot.price > before.price {
                (EventKind::HigherHigh, 1)
            } else {
                (EventKind::LowerHigh, -1)
            }
        } else if pivot.price < before.price {
            (EventKind::LowerLow, -1)
        } else {
            (EventKind::HigherLow, 1)
        };
        sink.emit(Fact {
            kind,
            direction,
            side: pivot.side,
            scope: self.scope,
            formed_at: pivot.formed_at,
            low: pivot.price,
            high: pivot.price,
            zone_id: id,
            source_id: before.id,
            ambiguous: false,
        });
    }
}
