//! The range of prices inside a repeating span of civil time, known when the span is over.
//!
//! A bar belongs to the span that contains its open time. A span is over at the close of the bar that ends with or
//! beyond it or, where no bar does, at the close of the first bar after it. A span whose beginning was not
//! seen, because the bars start inside it, has no range; nor has one without bars. Of equal extremes the first bar's
//! counts. Spans shorter than a bar are not followed.

use serde::{Deserialize, Serialize};

use super::civil_time::{Schedule, Span};
use super::event::Scope;
use crate::market::Bar;

/// What traded inside a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SpanRange {
    /// Open time of its first bar.
    pub formed_at: i64,
    pub low: i64,
    pub high: i64,
    /// Open times of the bars that made the extremes.
    pub low_at: i64,
    pub high_at: i64,
}

/// Follows one span after the other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SpanFollower {
    pub scope: Scope,
    schedule: Schedule,
    span: Option<Span>,
    /// Whether the beginning of the present span was seen.
    whole: bool,
    range: Option<SpanRange>,
    open: bool,
    /// Whether the last bar is the first after the beginning of a span that was seen to begin.
    began: bool,
}

impl SpanFollower {
    pub const fn new(scope: Scope, schedule: Schedule) -> Self {
        Self { scope, schedule, span: None, whole: false, range: None, open: false, began: false }
    }

    /// Whether the last bar belongs to a span.
    pub const fn is_open(&self) -> bool {
        self.open
    }

    /// The span of the last bar, if it belongs to one.
    pub fn open_span(&self) -> Option<Span> {
        self.span.filter(|_| self.open)
    }

    /// Whether the last bar is the first one since a span began, and others came before it.
    pub const fn began(&self) -> bool {
        self.began
    }

    /// Passes over a bar that ends before the present span begins, as [`Self::update`] would; false for any other.
    pub fn skips(&mut self, bar: &Bar) -> bool {
        let ahead = self.span.is_some_and(|span| bar.close_time <= span.start);
        if ahead {
            (self.began, self.open) = (false, false);
        }
        ahead
    }

    /// Adds a bar; gives the ranges that are known with it, the older first.
    pub fn update(&mut self, bar: &Bar) -> [Option<SpanRange>; 2] {
        self.began = false;
        let late = self.enter(bar);
        let Some(span) = self.span else { return [late, None] };
        self.open = bar.open_time >= span.start;
        if self.open {
            self.include(bar);
        }
        let over = bar.close_time >= span.end;
        [late, if over { self.finish() } else { None }]
    }

    /// Moves on to the span of the bar; gives the range of one that no bar ended.
    fn enter(&mut self, bar: &Bar) -> Option<SpanRange> {
        if self.span.is_some_and(|span| bar.open_time < span.end) {
            return None;
        }
        self.began = self.span.is_some();
        let late = self.finish();
        let span = self.schedule.span_at(bar.open_time);
        self.whole = self.span.is_some() || bar.open_time <= span.start;
        self.span = Some(span);
        late
    }

    fn finish(&mut self) -> Option<SpanRange> {
        self.range.take().filter(|_| self.whole)
    }

    fn include(&mut self, bar: &Bar) {
        let Bar { open_time, low, high, .. } = *bar;
        let fresh = SpanRange { formed_at: open_time, low, high, low_at: open_time, high_at: open_time };
        let range = self.range.get_or_insert(fresh);
        if low < range.low {
            (range.low, range.low_at) = (low, open_time);
        }
        if high > range.high {
            (range.high, range.high_at) = (high, open_time);
        }
    }
}
