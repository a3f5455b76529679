//! The gate between raw candle rows and bars: one check a row, the same for streams and batches.
//!
//! A row that cannot be a bar is quarantined and counted by name. A gap is admitted and counted,
//! never filled: what did not trade is not invented.

use serde::{Deserialize, Serialize};

use super::{Bar, Grid, Instrument, Timeframe, MAX_PRICE, MAX_TIME};

/// How many quarantined rows and how many gaps are kept one by one; all are counted.
pub const DETAIL_LIMIT: usize = 1_000;

/// Why a row is no bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rejection {
    /// A price or a volume is NaN, infinite, or beyond 64 bits of steps.
    Nan,
    /// A price is zero or negative.
    NonPositivePrice,
    /// A volume or a trade count is negative.
    NegativeVolume,
    /// The high is below the low.
    HighBelowLow,
    /// The open or the close lies outside the range.
    OpenOrCloseOutsideRange,
    /// A price lies between two ticks.
    OffTickGrid,
    /// A price or the open time is further out than [`MAX_PRICE`] or [`MAX_TIME`].
    BeyondRange,
    /// The open time is not a multiple of the timeframe.
    MisalignedOpenTime,
    /// The open time equals that of the last admitted row.
    Duplicate,
    /// The open time is before that of the last admitted row.
    OutOfOrder,
}

impl Rejection {
    /// Every rejection, in the order in which a row is checked.
    pub const ALL: [Self; 10] = [
        Self::Nan,
        Self::NonPositivePrice,
        Self::NegativeVolume,
        Self::HighBelowLow,
        Self::OpenOrCloseOutsideRange,
        Self::OffTickGrid,
        Self::BeyondRange,
        Self::MisalignedOpenTime,
        Self::Duplicate,
        Self::OutOfOrder,
    ];

    /// The name used in counts and reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nan => "nan",
            Self::NonPositivePrice => "non_positive_price",
            Self::NegativeVolume => "negative_volume",
            Self::HighBelowLow => "high_below_low",
            Self::OpenOrCloseOutsideRange => "open_or_close_outside_range",
            Self::OffTickGrid => "off_tick_grid",
            Self::BeyondRange => "beyond_range",
            Self::MisalignedOpenTime => "misaligned_open_time",
            Self::Duplicate => "duplicate",
            Self::OutOfOrder => "out_of_order",
        }
    }
}

/// A candle as a source gives it: decimal prices and quantities, open time in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RawBar {
    /// Start of the bar.
    pub open_time: i64,
    /// First price.
    pub open: f64,
    /// Highest price.
    pub high: f64,
    /// Lowest price.
    pub low: f64,
    /// Last price.
    pub close: f64,
    /// Traded quantity.
    pub volume: f64,
    /// The part of it whose taker bought; 0 where the source does not say.
    pub taker_buy_volume: f64,
    /// Number of trades; 0 where the source does not say.
    pub trades: i64,
}

/// A row that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantined {
    /// 0-based number of the row, over everything the gate has seen.
    pub row: u64,
    /// The open time it claimed.
    pub open_time: i64,
    /// Why it is no bar.
    pub rejection: Rejection,
}

/// Bars that a source left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Open time of the last bar before the gap.
    pub after: i64,
    /// How many bars are missing.
    pub missing: u64,
}

/// Admits candle rows in order, and counts what it refuses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QualityGate {
    tick: Grid,
    lot: Grid,
    timeframe: Timeframe,
    last_open: Option<i64>,
    rows: u64,
    admitted: u64,
    rejected: [u64; Rejection::ALL.len()],
    quarantine: Vec<Quarantined>,
    gaps: Vec<Gap>,
    gap_count: u64,
    missing_bars: u64,
}

impl QualityGate {
    /// A gate for one instrument and one timeframe.
    #[must_use]
    pub const fn new(instrument: &Instrument, timeframe: Timeframe) -> Self {
        Self {
            tick: instrument.tick,
            lot: instrument.lot,
            timeframe,
            last_open: None,
            rows: 0,
            admitted: 0,
            rejected: [0; Rejection::ALL.len()],
            quarantine: Vec::new(),
            gaps: Vec::new(),
            gap_count: 0,
            missing_bars: 0,
        }
    }

    /// Judges a row against the grids and the last admitted row, changing nothing.
    ///
    /// Prices must lie on the tick grid; volumes are statistics and are rounded to the nearest
    /// lot, the taker's part never above the whole.
    ///
    /// # Errors
    /// The first rejection, in the order of [`Rejection::ALL`].
    pub fn check(&self, raw: &RawBar) -> Result<Bar, Rejection> {
        let prices = [raw.open, raw.high, raw.low, raw.close];
        let volumes = [raw.volume, raw.taker_buy_volume];
        if prices.iter().chain(&volumes).any(|value| !value.is_finite()) {
            return Err(Rejection::Nan);
        }
        if prices.iter().any(|&price| price <= 0.0) {
            return Err(Rejection::NonPositivePrice);
        }
        if volumes.iter().any(|&volume| volume < 0.0) || raw.trades < 0 {
            return Err(Rejection::NegativeVolume);
        }
        if raw.high < raw.low {
            return Err(Rejection::HighBelowLow);
        }
        let inside = raw.low..=raw.high;
        if !inside.contains(&raw.open) || !inside.contains(&raw.close) {
            return Err(Rejection::OpenOrCloseOutsideRange);
        }
        let bar = self.on_grid(raw)?;
        if bar.high > MAX_PRICE || bar.open_time < -MAX_TIME || bar.close_time > MAX_TIME {
            return Err(Rejection::BeyondRange);
        }
        if self.timeframe.open_of(raw.open_time) != raw.open_time {
            return Err(Rejection::MisalignedOpenTime);
        }
        match self.last_open {
            Some(last) if raw.open_time == last => Err(Rejection::Duplicate),
            Some(last) if raw.open_time < last => Err(Rejection::OutOfOrder),
            _ => Ok(bar),
        }
    }

    fn on_grid(&self, raw: &RawBar) -> Result<Bar, Rejection> {
        let ticks = |price| match self.tick.exact(price) {
            Ok(ticks) if ticks > 0 => Ok(ticks),
            Ok(_) | Err(_) => Err(Rejection::OffTickGrid),
        };
        let lots = |quantity| self.lot.nearest(quantity).map_err(|_| Rejection::Nan);
        let volume = lots(raw.volume)?;
        Ok(Bar {
            open_time: raw.open_time,
            close_time: raw.open_time.saturating_add(self.timeframe.ns()),
            open: ticks(raw.open)?,
            high: ticks(raw.high)?,
            low: ticks(raw.low)?,
            close: ticks(raw.close)?,
            volume,
            taker_buy_volume: lots(raw.taker_buy_volume)?.min(volume),
            trades: u32::try_from(raw.trades).unwrap_or(u32::MAX),
        })
    }

    /// Checks a row, counts it, and gives the bar it makes.
    ///
    /// # Errors
    /// The rejection, which is counted and quarantined too.
    pub fn admit(&mut self, raw: &RawBar) -> Result<Bar, Rejection> {
        let row = self.rows;
        self.rows += 1;
        match self.check(raw) {
            Ok(bar) => {
                self.count_gap(bar.open_time);
                self.last_open = Some(bar.open_time);
                self.admitted += 1;
                Ok(bar)
            }
            Err(rejection) => {
                self.rejected[rejection as usize] += 1;
                if self.quarantine.len() < DETAIL_LIMIT {
                    self.quarantine.push(Quarantined { row, open_time: raw.open_time, rejection });
                }
                Err(rejection)
            }
        }
    }

    fn count_gap(&mut self, open_time: i64) {
        let Some(last) = self.last_open else { return };
        let missing = ((open_time - last) / self.timeframe.ns() - 1).unsigned_abs();
        if missing == 0 {
            return;
        }
        self.gap_count += 1;
        self.missing_bars += missing;
        if self.gaps.len() < DETAIL_LIMIT {
            self.gaps.push(Gap { after: last, missing });
        }
    }

    /// The timeframe of the bars it makes.
    #[must_use]
    pub const fn timeframe(&self) -> Timeframe {
        self.timeframe
    }

    /// Rows seen.
    #[must_use]
    pub const fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows that became bars.
    #[must_use]
    pub const fn admitted(&self) -> u64 {
        self.admitted
    }

    /// Number of rows refused for `rejection`.
    #[must_use]
    pub const fn rejected(&self, rejection: Rejection) -> u64 {
        self.rejected[rejection as usize]
    }

    /// The first [`DETAIL_LIMIT`] refused rows.
    #[must_use]
    pub fn quarantine(&self) -> &[Quarantined] {
        &self.quarantine
    }

    /// The first [`DETAIL_LIMIT`] gaps.
    #[must_use]
    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// Number of gaps.
    #[must_use]
    pub const fn gap_count(&self) -> u64 {
        self.gap_count
    }

    /// Bars missing in all gaps together.
    #[must_use]
    pub const fn missing_bars(&self) -> u64 {
        self.missing_bars
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    const MINUTE: i64 = 60_000_000_000;

    fn gate() -> QualityGate {
        let instrument = Instrument::new("binance", "BTCUSDT", "0.01", "0.00001", "5").unwrap();
        QualityGate::new(&instrument, "1m".parse().unwrap())
    }

    fn row(minute: i64) -> RawBar {
        RawBar {
            open_time: minute * MINUTE,
            open: 100.0,
            high: 101.5,
            low: 99.25,
            close: 100.75,
            volume: 1.234_567,
            taker_buy_volume: 0.5,
            trades: 7,
        }
    }

    #[test]
    fn a_good_row_becomes_an_exact_bar() {
        let bar = gate().admit(&row(1)).unwrap();
        assert_eq!((bar.open, bar.high, bar.low, bar.close), (10_000, 10_150, 9_925, 10_075));
        assert_eq!((bar.volume, bar.taker_buy_volume, bar.trades), (123_457, 50_000, 7));
        assert_eq!((bar.open_time, bar.close_time), (MINUTE, 2 * MINUTE));
    }

    #[test]
    fn every_rejection_has_its_row() {
        let cases = [
            (RawBar { close: f64::NAN, ..row(3) }, Rejection::Nan),
            (RawBar { volume: f64::INFINITY, ..row(3) }, Rejection::Nan),
            (RawBar { volume: 1e300, ..row(3) }, Rejection::Nan),
            (RawBar { low: -1.0, ..row(3) }, Rejection::NonPositivePrice),
            (RawBar { volume: -0.1, ..row(3) }, Rejection::NegativeVolume),
            (RawBar { trades: -1, ..row(3) }, Rejection::NegativeVolume),
            (RawBar { high: 99.0, ..row(3) }, Rejection::HighBelowLow),
            (RawBar { open: 102.0, ..row(3) }, Rejection::OpenOrCloseOutsideRange),
            (RawBar { close: 100.005, ..row(3) }, Rejection::OffTickGrid),
            (RawBar { high: 3e12, ..row(3) }, Rejection::BeyondRange),
            (RawBar { open_time: i64::MAX, ..row(3) }, Rejection::BeyondRange),
            (RawBar { open_time: i64::MIN, ..row(3) }, Rejection::BeyondRange),
            (RawBar { open_time: 3 * MINUTE + 1, ..row(3) }, Rejection::MisalignedOpenTime),
            (row(2), Rejection::Duplicate),
            (row(1), Rejection::OutOfOrder),
        ];
        let mut gate = gate();
        gate.admit(&row(2)).unwrap();
        for (raw, expected) in cases {
            assert_eq!(gate.admit(&raw), Err(expected), "{raw:?}");
        }
        assert_eq!(gate.rows(), 16);
        assert_eq!(gate.admitted(), 1);
        assert_eq!(gate.rejected(Rejection::Nan), 3);
        assert_eq!(gate.quarantine().len(), 15);
        assert_eq!(gate.quarantine()[0].row, 1);
        let counted: u64 = Rejection::ALL.iter().map(|&name| gate.rejected(name)).sum();
        assert_eq!(counted, 15);
    }

    #[test]
    fn gaps_are_counted_and_not_filled() {
        let mut gate = gate();
        for minute in [1, 2, 5, 6, 16] {
            gate.admit(&row(minute)).unwrap();
        }
        assert_eq!((gate.admitted(), gate.gap_count(), gate.missing_bars()), (5, 2, 11));
        assert_eq!(gate.gaps()[0], Gap { after: 2 * MINUTE, missing: 2 });
    }

    #[test]
    fn the_list_of_names_follows_the_discriminants() {
        for (position, rejection) in Rejection::ALL.into_iter().enumerate() {
            assert_eq!(rejection as usize, position);
        }
    }
}
