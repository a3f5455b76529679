//! Bars of larger timeframes from a stream of smaller ones.
//!
//! A bucket closes when its last base bar arrives. Where that bar is missing, it closes when the
//! first base bar of a later bucket arrives: late, but with the same content. What never traded
//! leaves no bar.

use serde::{Deserialize, Serialize};

use super::{Bar, BarError, Timeframe, MAX_TIME};

/// Base bars lie within this, so that the longest bar around them lies within [`MAX_TIME`].
const MAX_BASE_TIME: i64 = MAX_TIME - 7 * 86_400_000_000_000;

/// Why base bars do not make the wanted bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AggregateError {
    /// The larger timeframe is no multiple of the base.
    #[error("{target} bars cannot be built from {base} bars; choose a multiple of the base timeframe")]
    NotAMultiple {
        /// Wanted timeframe.
        target: Timeframe,
        /// Timeframe of the stream.
        base: Timeframe,
    },
    /// A base bar is none.
    #[error("base bar at {open_time}: {error}")]
    Bar {
        /// Open time of the offending bar.
        open_time: i64,
        /// What is wrong with it.
        error: BarError,
    },
    /// A base bar is of another length.
    #[error("a bar of {given} ns does not belong to the base timeframe {base}")]
    WrongLength {
        /// Timeframe of the stream.
        base: Timeframe,
        /// Length of the offending bar.
        given: i64,
    },
    /// A bar begins before its predecessor ended.
    #[error("bar at {given} comes after one that ended at {last}; feed bars oldest first, each once")]
    OutOfOrder {
        /// Close time of the last bar.
        last: i64,
        /// Open time of the offending bar.
        given: i64,
    },
}

/// A bar together with its timeframe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedBar {
    /// Length of the bar.
    pub timeframe: Timeframe,
    /// The bar.
    pub bar: Bar,
}

/// The bucket that is being filled for one timeframe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Bucket {
    timeframe: Timeframe,
    open: Option<Bar>,
}

impl Bucket {
    fn add(&mut self, base: &Bar) {
        let Some(bar) = &mut self.open else {
            let open_time = self.timeframe.open_of(base.open_time);
            let close_time = open_time + self.timeframe.ns();
            self.open = Some(Bar { open_time, close_time, ..*base });
            return;
        };
        bar.high = bar.high.max(base.high);
        bar.low = bar.low.min(base.low);
        bar.close = base.close;
        bar.volume = bar.volume.saturating_add(base.volume);
        bar.taker_buy_volume = bar.taker_buy_volume.saturating_add(base.taker_buy_volume);
        bar.trades = bar.trades.saturating_add(base.trades);
    }

    /// Takes the open bar if it ended exactly at `instant`.
    fn close_at(&mut self, instant: i64) -> Option<ClosedBar> {
        let timeframe = self.timeframe;
        self.open.take_if(|bar| bar.close_time == instant).map(|bar| ClosedBar { timeframe, bar })
    }
}

/// Builds bars of several timeframes at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Aggregator {
    base: Timeframe,
    /// Largest timeframe first, so that bars closing together come out in that order.
    buckets: Vec<Bucket>,
    last_close: Option<i64>,
}

impl Aggregator {
    /// Prepares buckets for `targets`, in any order; the base itself is allowed among them.
    ///
    /// # Errors
    /// [`AggregateError::NotAMultiple`] naming the target that the base does not divide.
    pub fn new(base: Timeframe, targets: &[Timeframe]) -> Result<Self, AggregateError> {
        let mut sorted = targets.to_vec();
        sorted.sort_unstable_by(|a, b| b.cmp(a));
        sorted.dedup();
        if let Some(&target) = sorted.iter().find(|target| !target.divides_into(base)) {
            return Err(AggregateError::NotAMultiple { target, base });
        }
        let buckets = sorted.into_iter().map(|timeframe| Bucket { timeframe, open: None }).collect();
        Ok(Self { base, buckets, last_close: None })
    }

    /// Timeframe of the stream.
    #[must_use]
    pub const fn base(&self) -> Timeframe {
        self.base
    }

    /// Closes the buckets that ended by `open_time`, of the earliest such instant only, and says
    /// whether there were any; call again for the next instant.
    pub fn close_late(&mut self, open_time: i64, closed: &mut Vec<ClosedBar>) -> bool {
        let ends = self.buckets.iter().filter_map(|bucket| bucket.open.map(|bar| bar.close_time));
        let Some(instant) = ends.filter(|&end| end <= open_time).min() else { return false };
        closed.extend(self.buckets.iter_mut().filter_map(|bucket| bucket.close_at(instant)));
        true
    }

    /// Adds a base bar and gives the bars it completes, the largest timeframe first.
    ///
    /// Buckets that a gap left open are closed first, in the order of their ends.
    ///
    /// # Errors
    /// [`AggregateError`], with nothing changed.
    pub fn push(&mut self, bar: &Bar, closed: &mut Vec<ClosedBar>) -> Result<(), AggregateError> {
        self.check(bar)?;
        while self.close_late(bar.open_time, closed) {}
        self.last_close = Some(bar.close_time);
        for bucket in &mut self.buckets {
            bucket.add(bar);
            closed.extend(bucket.close_at(bar.close_time));
        }
        Ok(())
    }

    /// Whether `bar` may come next: a bar, of the base length, and not before the last one ended.
    ///
    /// # Errors
    /// [`AggregateError`] for any of the three.
    pub fn check(&self, bar: &Bar) -> Result<(), AggregateError> {
        let refused = |error| AggregateError::Bar { open_time: bar.open_time, error };
        bar.validate().map_err(refused)?;
        if let Some(time) = [bar.open_time, bar.close_time].into_iter().find(|time| time.abs() > MAX_BASE_TIME) {
            return Err(refused(BarError::TimeBeyondRange { time }));
        }
        let given = bar.close_time.saturating_sub(bar.open_time);
        if given != self.base.ns() {
            return Err(AggregateError::WrongLength { base: self.base, given });
        }
        match self.last_close {
            Some(last) if bar.open_time < last => Err(AggregateError::OutOfOrder { last, given: bar.open_time }),
            _ => Ok(()),
        }
    }
}

/// The closed bars of one larger timeframe; a bucket still open at the end is left out.
///
/// # Errors
/// [`AggregateError`] naming the timeframe or the bar that does not fit.
pub fn aggregate(bars: &[Bar], base: Timeframe, target: Timeframe) -> Result<Vec<Bar>, AggregateError> {
    let mut aggregator = Aggregator::new(base, &[target])?;
    let mut closed = Vec::new();
    bars.iter().try_for_each(|bar| aggregator.push(bar, &mut closed))?;
    Ok(closed.into_iter().map(|closed| closed.bar).collect())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const MINUTE: i64 = 60_000_000_000;

    fn minute(at: i64, open: i64, high: i64, low: i64, close: i64) -> Bar {
        Bar {
            open_time: at * MINUTE,
            close_time: (at + 1) * MINUTE,
            open,
            high,
            low,
            close,
            volume: 10,
            taker_buy_volume: 4,
            trades: 2,
        }
    }

    fn frames(names: &[&str]) -> Vec<Timeframe> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn a_bucket_closes_with_its_last_base_bar() {
        let mut aggregator = Aggregator::new("1m".parse().unwrap(), &frames(&["3m", "15m", "1m"])).unwrap();
        let mut closed = Vec::new();
        for at in 0..3 {
            aggregator.push(&minute(at, 100 + at, 110 + at, 90 - at, 105 + at), &mut closed).unwrap();
        }
        let names: Vec<_> = closed.iter().map(|made| made.timeframe.name()).collect();
        assert_eq!(names, ["1m", "1m", "3m", "1m"]);
        let made = closed[2].bar;
        assert_eq!((made.open, made.high, made.low, made.close), (100, 112, 88, 107));
        assert_eq!((made.volume, made.taker_buy_volume, made.trades), (30, 12, 6));
        assert_eq!((made.open_time, made.close_time), (0, 3 * MINUTE));
    }

    #[test]
    fn a_gap_closes_the_bucket_late_and_in_order_of_ends() {
        let mut aggregator = Aggregator::new("1m".parse().unwrap(), &frames(&["3m", "15m"])).unwrap();
        let mut closed = Vec::new();
        aggregator.push(&minute(0, 1, 2, 1, 2), &mut closed).unwrap();
        assert!(closed.is_empty());
        aggregator.push(&minute(31, 5, 6, 5, 6), &mut closed).unwrap();
        let ends: Vec<_> = closed.iter().map(|made| (made.timeframe.name(), made.bar.close_time / MINUTE)).collect();
        assert_eq!(ends, [("3m", 3), ("15m", 15)]);
    }

    #[test]
    fn wrong_timeframes_and_orders_are_refused() {
        let refused = Aggregator::new("2h".parse().unwrap(), &frames(&["1h"]));
        assert!(matches!(refused, Err(AggregateError::NotAMultiple { .. })));
        let mut aggregator = Aggregator::new("1m".parse().unwrap(), &frames(&["3m"])).unwrap();
        let mut closed = Vec::new();
        aggregator.push(&minute(4, 1, 2, 1, 2), &mut closed).unwrap();
        let before = aggregator.clone();
        let error = aggregator.push(&minute(4, 1, 2, 1, 2), &mut closed);
        assert_eq!(error, Err(AggregateError::OutOfOrder { last: 5 * MINUTE, given: 4 * MINUTE }));
        let long = Bar { close_time: 7 * MINUTE, ..minute(5, 1, 2, 1, 2) };
        let error = aggregator.push(&long, &mut closed);
        assert_eq!(error, Err(AggregateError::WrongLength { base: "1m".parse().unwrap(), given: 2 * MINUTE }));
        assert_eq!(aggregator, before);
    }

    #[test]
    fn bars_whose_week_lies_beyond_all_time_are_refused() {
        let mut aggregator = Aggregator::new("1m".parse().unwrap(), &frames(&["1w"])).unwrap();
        let mut closed = Vec::new();
        let end = MAX_TIME / MINUTE;
        let error = aggregator.push(&minute(end - 2, 1, 2, 1, 2), &mut closed).unwrap_err();
        assert!(matches!(error, AggregateError::Bar { error: BarError::TimeBeyondRange { .. }, .. }), "{error}");
        let mut inverted = minute(end - 8 * 1_440, 1, 2, 1, 2);
        assert_eq!(aggregator.push(&inverted, &mut closed), Ok(()));
        (inverted.high, inverted.low) = (1, 2);
        assert!(matches!(aggregator.push(&inverted, &mut closed), Err(AggregateError::Bar { .. })));
    }
}
