//! Percentage of volume: keep to a share of all that trades, measured against what *others* trade.
//!
//! A share p of all volume is `p / (1 - p)` of others'. Measured against all volume with our own in it, each fill would
//! call for another one.

use super::{not_negative, positive, within, ScheduleError};
use std::collections::VecDeque;

const MILLION: i128 = 1_000_000;

/// The rules of one participation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PovSettings {
    /// Lots of the parent.
    pub total: i64,
    /// Share of all volume to keep to, in parts per million.
    pub rate_ppm: i64,
    /// Largest share of all volume within the window, in parts per million; at least the rate.
    pub most_ppm: i64,
    /// Length of the window, in nanoseconds.
    pub window_ns: i64,
    /// Nothing is sent until as many lots are missing (or all that remain).
    pub band: i64,
    /// The market counts as unseen when nothing has printed for so long, in nanoseconds.
    pub stale_ns: i64,
    /// When the parent began and is to end, in nanoseconds.
    pub start: i64,
    /// See `start`.
    pub end: i64,
    /// Share of the parent that is to be done by its end whatever others trade, in parts per million, on a straight line.
    pub progress_ppm: i64,
}

/// What holds a participation back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PovLimit {
    /// Nothing but its target.
    Target,
    /// The largest share within the window.
    Window,
    /// The market has not been seen for too long.
    Stale,
    /// The parent is done or working.
    Done,
}

/// Lots to send, and what held them back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PovDue {
    /// Lots.
    pub lots: i64,
    /// The rule that decided.
    pub limit: PovLimit,
}

/// A participation in progress; the cost of an event doesn't grow with the history.
#[derive(Clone, Debug)]
pub struct Pov {
    settings: PovSettings,
    market: i128,
    own: i128,
    /// (time, market lots, own lots) within the window, and their sums.
    recent: VecDeque<(i64, i64, i64)>,
    recent_market: i128,
    recent_own: i128,
    last_print: Option<i64>,
}

/// Our lots beside `others` lots at a share of all volume.
fn share_of(others: i128, ppm: i64) -> i128 {
    others.max(0) * i128::from(ppm) / (MILLION - i128::from(ppm))
}

impl Pov {
    /// A participation that has seen nothing yet.
    ///
    /// # Errors
    /// [`ScheduleError`] naming the first setting out of range.
    pub fn new(settings: PovSettings) -> Result<Self, ScheduleError> {
        let PovSettings { total, rate_ppm, most_ppm, window_ns, band, stale_ns, start, end, progress_ppm } = settings;
        positive("total", total as f64)?;
        within("rate_ppm", rate_ppm as f64, (1..1_000_000).contains(&rate_ppm), "in [1, 999999]")?;
        within("most_ppm", most_ppm as f64, (rate_ppm..1_000_000).contains(&most_ppm), "in [rate_ppm, 999999]")?;
        positive("window_ns", window_ns as f64)?;
        positive("band", band as f64)?;
        positive("stale_ns", stale_ns as f64)?;
        positive("end - start", end as f64 - start as f64)?;
        within("progress_ppm", progress_ppm as f64, (0..=1_000_000).contains(&progress_ppm), "in [0, 1000000]")?;
        let recent = VecDeque::new();
        Ok(Self { settings, market: 0, own: 0, recent, recent_market: 0, recent_own: 0, last_print: None })
    }

    fn book(&mut self, time: i64, market: i64, own: i64) {
        self.market += i128::from(market);
        self.own += i128::from(own);
        self.recent_market += i128::from(market);
        self.recent_own += i128::from(own);
        match self.recent.back_mut() {
            Some(last) if last.0 == time => {
                last.1 = last.1.saturating_add(market);
                last.2 = last.2.saturating_add(own);
            }
            _ => self.recent.push_back((time, market, own)),
        }
        self.forget(time);
    }

    fn forget(&mut self, now: i64) {
        while let Some(&(time, market, own)) = self.recent.front() {
            if now.saturating_sub(time) < self.settings.window_ns {
                break;
            }
            self.recent_market -= i128::from(market);
            self.recent_own -= i128::from(own);
            self.recent.pop_front();
        }
    }

    /// Books a print of the market's tape, our own prints among them.
    ///
    /// # Errors
    /// [`ScheduleError`] where lots are negative.
    pub fn on_print(&mut self, time: i64, lots: i64) -> Result<(), ScheduleError> {
        not_negative("lots", lots as f64)?;
        self.last_print = Some(time);
        self.book(time, lots, 0);
        Ok(())
    }

    /// Books a fill of ours, which the tape prints too.
    ///
    /// # Errors
    /// [`ScheduleError`] where lots are negative.
    pub fn on_fill(&mut self, time: i64, lots: i64) -> Result<(), ScheduleError> {
        not_negative("lots", lots as f64)?;
        self.book(time, 0, lots);
        Ok(())
    }

    /// Lots that others have traded so far.
    #[must_use]
    pub fn others(&self) -> i128 {
        (self.market - self.own).max(0)
    }

    /// Lots to send at `now`, while `working` lots of ours wait in the market.
    #[must_use]
    pub fn due(&mut self, now: i64, working: i64) -> PovDue {
        let settings = self.settings;
        self.forget(now);
        let due = |lots: i128, limit| PovDue { lots: lots as i64, limit };
        let committed = self.own + i128::from(working.max(0));
        let left = i128::from(settings.total) - committed;
        if left <= 0 {
            return due(0, PovLimit::Done);
        }
        if self.last_print.is_none_or(|last| now.saturating_sub(last) > settings.stale_ns) {
            return due(0, PovLimit::Stale);
        }
        let length = i128::from(settings.end) - i128::from(settings.start);
        let elapsed = (i128::from(now) - i128::from(settings.start)).clamp(0, length);
        let line = i128::from(settings.total) * i128::from(settings.progress_ppm) / MILLION * elapsed / length;
        let target = share_of(self.others(), settings.rate_ppm).max(line);
        let wanted = (target - committed).clamp(0, left);
        let room = share_of(self.recent_market - self.recent_own, settings.most_ppm);
        let room = (room - self.recent_own - i128::from(working.max(0))).max(0);
        let (lots, limit) = if room < wanted { (room, PovLimit::Window) } else { (wanted, PovLimit::Target) };
        if lots < i128::from(settings.band).min(left) {
            return due(0, limit);
        }
        due(lots, limit)
    }
}
