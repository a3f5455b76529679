//! The order state machine: its table is data, total over every (state, event) pair.
//!
//! Three rules shape the table:
//! * A fill is believed whenever the order can have been on the wire, before its acknowledgement and
//!   after its end: a venue may report a fill late, so `canceled` and `expired` still lead to `filled`.
//! * Silence is not an answer: a timed-out request leads to `unknown`, and so does a refused cancel or
//!   replace, because such a refusal often means that the order has already ended.
//! * `unknown` is left only by positive evidence about the order itself: an acceptance, a fill, a cancel,
//!   an expiry, a rejection, or a query that succeeded and proved it absent.
//!
//! A late or repeated answer that says nothing new keeps the state. `None` marks a contradiction: the
//! caller quarantines the event, and books the fill if it carries one.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Where an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OrderState {
    /// Journalled, not sent.
    Intent,
    /// Refused before the wire.
    Denied,
    /// Handed to the wire, not answered.
    Sending,
    /// Working at the venue.
    Open,
    /// Working, and filled in part.
    Partial,
    /// Filled whole.
    Filled,
    /// Working, a cancel is on its way.
    PendingCancel,
    /// Working, a change of price or quantity is on its way.
    PendingReplace,
    /// Ended by a cancel.
    Canceled,
    /// Ended by its time in force.
    Expired,
    /// Never worked: refused by the venue, or proved absent there.
    Rejected,
    /// May or may not work; its exposure counts until the venue proves otherwise.
    Unknown,
}

/// What can happen to an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OrderEvent {
    /// Refused before the wire.
    Deny,
    /// Handed to the wire.
    Send,
    /// The venue reports it working.
    Accept,
    /// The venue refuses it.
    Reject,
    /// A request about it was not answered in time, or answered ambiguously.
    Timeout,
    /// A fill that leaves a remainder.
    FillPartial,
    /// The fill that completes it.
    FillComplete,
    /// We ask for a cancel.
    CancelRequest,
    /// The venue refuses the cancel.
    CancelReject,
    /// The venue reports it canceled.
    Cancel,
    /// We ask for a change.
    ReplaceRequest,
    /// The venue reports it changed.
    ReplaceAccept,
    /// The venue refuses the change.
    ReplaceReject,
    /// The venue reports it expired.
    Expire,
    /// Queries that succeeded, after the request can no longer be accepted, proved it absent.
    ResolveAbsent,
}

/// A name that is no order state or no order event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown order {what} {name:?}; use one of {known}")]
pub struct ParseOrderNameError {
    what: &'static str,
    name: String,
    known: String,
}

const STATES: usize = 12;
const EVENTS: usize = 15;

const STATE_NAMES: [&str; STATES] = [
    "intent",
    "denied",
    "sending",
    "open",
    "partial",
    "filled",
    "pending_cancel",
    "pending_replace",
    "canceled",
    "expired",
    "rejected",
    "unknown",
];

const EVENT_NAMES: [&str; EVENTS] = [
    "deny",
    "send",
    "accept",
    "reject",
    "timeout",
    "fill_partial",
    "fill_complete",
    "cancel_request",
    "cancel_reject",
    "cancel",
    "replace_request",
    "replace_accept",
    "replace_reject",
    "expire",
    "resolve_absent",
];

type Cell = Option<OrderState>;
const NO: Cell = None;
const DENI: Cell = Some(OrderState::Denied);
const SEND: Cell = Some(OrderState::Sending);
const OPEN: Cell = Some(OrderState::Open);
const PART: Cell = Some(OrderState::Partial);
const FILL: Cell = Some(OrderState::Filled);
const PCAN: Cell = Some(OrderState::PendingCancel);
const PREP: Cell = Some(OrderState::PendingReplace);
const CANC: Cell = Some(OrderState::Canceled);
const EXPI: Cell = Some(OrderState::Expired);
const REJE: Cell = Some(OrderState::Rejected);
const UNKN: Cell = Some(OrderState::Unknown);

/// Rows are states, columns events, both in declaration order.
#[rustfmt::skip]
const TRANSITIONS: [[Cell; EVENTS]; STATES] = [
    //                deny  send  acce  reje  time  f_pa  f_co  c_rq  c_rj  canc  r_rq  r_ac  r_rj  expi  abse
    /* intent   */  [DENI, SEND, NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO  ],
    /* denied   */  [NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO,   NO  ],
    /* sending  */  [NO,   NO,   OPEN, REJE, UNKN, PART, FILL, PCAN, NO,   CANC, NO,   NO,   NO,   EXPI, NO  ],
    /* open     */  [NO,   NO,   OPEN, REJE, OPEN, PART, FILL, PCAN, OPEN, CANC, PREP, NO,   OPEN, EXPI, NO  ],
    /* partial  */  [NO,   NO,   PART, NO,   PART, PART, FILL, PCAN, PART, CANC, PREP, NO,   PART, EXPI, NO  ],
    /* filled   */  [NO,   NO,   FILL, NO,   FILL, NO,   NO,   NO,   FILL, NO,   NO,   NO,   FILL, NO,   NO  ],
    /* p_cancel */  [NO,   NO,   PCAN, REJE, UNKN, PCAN, FILL, PCAN, UNKN, CANC, NO,   PCAN, PCAN, EXPI, NO  ],
    /* p_replac */  [NO,   NO,   PREP, REJE, UNKN, PREP, FILL, PCAN, PREP, CANC, NO,   OPEN, UNKN, EXPI, NO  ],
    /* canceled */  [NO,   NO,   CANC, NO,   CANC, CANC, FILL, NO,   CANC, CANC, NO,   NO,   CANC, NO,   NO  ],
    /* expired  */  [NO,   NO,   EXPI, NO,   EXPI, EXPI, FILL, NO,   EXPI, NO,   NO,   NO,   EXPI, EXPI, NO  ],
    /* rejected */  [NO,   NO,   NO,   REJE, REJE, NO,   NO,   NO,   REJE, NO,   NO,   NO,   REJE, NO,   NO  ],
    /* unknown  */  [NO,   NO,   OPEN, REJE, UNKN, PART, FILL, UNKN, UNKN, CANC, NO,   UNKN, UNKN, EXPI, REJE],
];

impl OrderState {
    /// Every state, in declaration order.
    pub const ALL: [Self; STATES] = [
        Self::Intent,
        Self::Denied,
        Self::Sending,
        Self::Open,
        Self::Partial,
        Self::Filled,
        Self::PendingCancel,
        Self::PendingReplace,
        Self::Canceled,
        Self::Expired,
        Self::Rejected,
        Self::Unknown,
    ];

    /// The state after `event`, or `None` where the pair is a contradiction.
    #[must_use]
    pub const fn after(self, event: OrderEvent) -> Option<Self> {
        TRANSITIONS[self as usize][event as usize]
    }

    /// Whether the order can no longer work at the venue (a late fill may still be reported).
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Denied | Self::Filled | Self::Canceled | Self::Expired | Self::Rejected)
    }

    /// The name used in journals and at the Python boundary.
    #[must_use]
    pub const fn name(self) -> &'static str {
        STATE_NAMES[self as usize]
    }
}

impl OrderEvent {
    /// Every event, in declaration order.
    pub const ALL: [Self; EVENTS] = [
        Self::Deny,
        Self::Send,
        Self::Accept,
        Self::Reject,
        Self::Timeout,
        Self::FillPartial,
        Self::FillComplete,
        Self::CancelRequest,
        Self::CancelReject,
        Self::Cancel,
        Self::ReplaceRequest,
        Self::ReplaceAccept,
        Self::ReplaceReject,
        Self::Expire,
        Self::ResolveAbsent,
    ];

    /// The name used in journals and at the Python boundary.
    #[must_use]
    pub const fn name(self) -> &'static str {
        EVENT_NAMES[self as usize]
    }
}

impl fmt::Display for OrderState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for OrderEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for OrderState {
    type Err = ParseOrderNameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|state| state.name() == name).ok_or_else(|| ParseOrderNameError {
            what: "state",
            name: name.to_owned(),
            known: STATE_NAMES.join(" "),
        })
    }
}

impl FromStr for OrderEvent {
    type Err = ParseOrderNameError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|event| event.name() == name).ok_or_else(|| ParseOrderNameError {
            what: "event",
            name: name.to_owned(),
            known: EVENT_NAMES.join(" "),
        })
    }
}
