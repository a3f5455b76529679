//! Displacement: a bar by which one side moved price with force.
//!
//! In the direction of its body (none without one), by one of these forms; `atr` is that of the bar before,
//! and where it is not warm the forms that need it find nothing:
//! - **body**: `body >= body_atr * atr`;
//! - **range**: `range >= range_atr * atr` and `body >= body_share * range`;
//! - **either** (default): one of the two;
//! - **wick**: the body exceeds the mean body of the last `mean_bars` bars, this one included, and each wick is
//!   shorter than `max_wick` bodies.
//!
//! Knowable at the close of the bar; it has no life. Its zone is the bar's range.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::config::{DisplacementConfig, DisplacementForm};
use super::event::{EventKind, Fact, Scope, Sink};
use crate::market::Bar;

/// Finds displacements, and remembers the last one of each direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Displacements {
    config: DisplacementConfig,
    bodies: VecDeque<i64>,
    body_sum: i64,
    last_up: Option<i64>,
    last_down: Option<i64>,
}

impl Displacements {
    /// None yet.
    #[must_use]
    pub const fn new(config: DisplacementConfig) -> Self {
        Self { config, bodies: VecDeque::new(), body_sum: 0, last_up: None, last_down: None }
    }

    /// Open time of the last displacement of a direction.
    #[must_use]
    pub const fn last(&self, direction: i8) -> Option<i64> {
        if direction > 0 {
            self.last_up
        } else {
            self.last_down
        }
    }

    /// Looks at a closed bar; `atr` is that of the bar before it. Gives the direction of its displacement, or 0.
    pub(crate) fn update(&mut self, bar: &Bar, atr: Option<f64>, sink: &mut Sink<'_>) -> i8 {
        let direction = (bar.close - bar.open).signum() as i8;
        let wick_form = self.config.form == DisplacementForm::Wick && self.stands_out(bar);
        if direction == 0 || !(wick_form || atr.is_some_and(|atr| self.reaches(bar, atr))) {
            return 0;
        }
        *(if direction > 0 { &mut self.last_up } else { &mut self.last_down }) = Some(bar.open_time);
        sink.emit(Fact {
            kind: EventKind::Displacement,
            direction,
            side: 0,
            scope: Scope::None,
            formed_at: bar.open_time,
            low: bar.low,
            high: bar.high,
            zone_id: 0,
            source_id: 0,
            ambiguous: false,
        });
        direction
    }

    fn reaches(&self, bar: &Bar, atr: f64) -> bool {
        let (body, range) = (bar.body() as f64, bar.range() as f64);
        let long_body = body >= self.config.body_atr * atr;
        let long_range = range >= self.config.range_atr * atr && body >= self.config.body_share * range;
        match self.config.form {
            DisplacementForm::Either => long_body || long_range,
            DisplacementForm::Body => long_body,
            DisplacementForm::Range => long_range,
            DisplacementForm::Wick => false,
        }
    }

    /// The wick form, which needs every bar to be shown to it.
    fn stands_out(&mut self, bar: &Bar) -> bool {
        let number = self.config.mean_bars as usize;
        if self.bodies.len() == number {
            self.body_sum -= self.bodies.pop_front().unwrap_or(0);
        }
        self.bodies.push_back(bar.body());
        self.body_sum += bar.body();
        let body = bar.body();
        let longest = (bar.high - bar.open.max(bar.close)).max(bar.open.min(bar.close) - bar.low);
        self.bodies.len() == number
            && body * number as i64 > self.body_sum
            && (longest as f64) < self.config.max_wick * body as f64
    }
}
