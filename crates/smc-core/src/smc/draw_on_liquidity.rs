//! Draw on liquidity: where price is expected to go next.
//!
//! With an upward bias, the nearest resting buy-side level at or above the last close: a liquidity pool, equal highs, or
//! the high of a completed period or session. With a downward bias the nearest sell-side level at or below it; without
//! a bias none. Of levels at one price the oldest counts. Inducements and points of control are no targets of their
//! own. A reading as of the last bar, without events.

use super::zone::Zone;

/// The nearest of the levels of `side` at or beyond `close`; none of side 0.
pub(crate) fn nearest<'a>(levels: impl Iterator<Item = &'a Zone>, side: i8, close: i64) -> Option<&'a Zone> {
    let sign = i64::from(side);
    let beyond = |zone: &&Zone| zone.side == side && sign * zone.low >= sign * close;
    levels.filter(beyond).min_by_key(|zone| (sign * zone.low, zone.id))
}
