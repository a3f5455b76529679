//! Why there is no figure.

/// No figure can be given, and nothing may rest on an older one.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum RiskError {
    /// A setting is outside its range.
    #[error("{name} is {value}; it must be {wanted}")]
    Setting {
        /// Which.
        name: &'static str,
        /// As given.
        value: String,
        /// Its range.
        wanted: &'static str,
    },
    /// Too few scenarios, or none.
    #[error("{have} scenarios, and a figure needs {need}; feed more closes")]
    FewScenarios {
        /// Scenarios there are.
        have: usize,
        /// Fewest that are used.
        need: usize,
    },
    /// An instrument that the book was not made for.
    #[error("{instrument} is not one of the book's instruments; name it when the book is made")]
    UnknownInstrument {
        /// As given.
        instrument: String,
    },
    /// An instrument that is held or ordered has had no close.
    #[error("{instrument} has had no close; feed its bars before its risk is judged")]
    NoClose {
        /// Whose.
        instrument: String,
    },
    /// The newest close is too old, or from the future.
    #[error(
        "the newest close of {instrument} is {age_ns} ns old; at most {most_ns} ns, and none from the future, count"
    )]
    Stale {
        /// Whose.
        instrument: String,
        /// Now less the time of the close.
        age_ns: i64,
        /// Largest age.
        most_ns: i64,
    },
    /// A close that no return can be taken from.
    #[error("close {close} of {instrument} is no price; give a positive number of ticks")]
    InvalidClose {
        /// Whose.
        instrument: String,
        /// As given.
        close: i64,
    },
    /// A return so large that the close must be wrong.
    #[error("{instrument} goes from {before} to {after} in one step; check the feed before its risk is judged")]
    WildReturn {
        /// Whose.
        instrument: String,
        /// Close before, ticks.
        before: i64,
        /// Close after, ticks.
        after: i64,
    },
    /// Closes must come in order of time.
    #[error("a bar that closes at {time} comes after one at {newest}; feed bars in order, each once")]
    OutOfOrder {
        /// As given, ns.
        time: i64,
        /// Newest known, ns.
        newest: i64,
    },
    /// Money times return does not fit 64 bits.
    #[error("a gross notional of {gross} units cannot be judged exactly; count money in a coarser unit")]
    TooLarge {
        /// Sum of absolute notionals, units of money.
        gross: i128,
    },
}

impl RiskError {
    /// A stable word for counters and logs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Setting { .. } => "setting",
            Self::FewScenarios { .. } => "few_scenarios",
            Self::UnknownInstrument { .. } => "unknown_instrument",
            Self::NoClose { .. } => "no_close",
            Self::Stale { .. } => "stale",
            Self::InvalidClose { .. } => "invalid_close",
            Self::WildReturn { .. } => "wild_return",
            Self::OutOfOrder { .. } => "out_of_order",
            Self::TooLarge { .. } => "too_large",
        }
    }
}
