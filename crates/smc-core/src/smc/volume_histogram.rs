//! Volume by price in bins of an odd number of ticks, and what is read from it; see [`super::volume_profile`] for the rules.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::event::Scope;
use super::volume_profile::VolumeProfile;
use crate::market::Bar;

/// The volume of one period by price. Bin k holds the ticks within `half` of `anchor + k * (2 * half + 1)`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Histogram {
    half: i64,
    anchor: i64,
    formed_at: i64,
    low: i64,
    high: i64,
    close: i64,
    /// Direction of the last change of the close, the first open before it; 0 before any.
    turn: i64,
    volume: i128,
    /// Number of the lowest bin.
    first: i64,
    bins: VecDeque<f64>,
}

impl Histogram {
    /// Starts again, with bins of `2 * half + 1` ticks.
    pub fn restart(&mut self, half: i64) {
        self.bins.clear();
        (self.half, self.volume) = (half, 0);
    }

    const fn bin_of(&self, price: i64) -> i64 {
        (price - self.anchor + self.half).div_euclid(2 * self.half + 1)
    }

    /// Middle of the bin at `position`.
    const fn centre(&self, position: usize) -> i64 {
        self.anchor + (self.first + position as i64) * (2 * self.half + 1)
    }

    /// Number of bins from the lowest to the highest, `from` and `to` among them.
    fn bins_with(&self, from: i64, to: i64) -> i64 {
        let last = self.first + self.bins.len() as i64 - 1;
        last.max(to) - self.first.min(from) + 1
    }

    /// Adds a bar with volume.
    pub fn add(&mut self, bar: &Bar, max_bins: i64) {
        if self.bins.is_empty() {
            (self.anchor, self.formed_at, self.low, self.high) = (bar.open, bar.open_time, bar.low, bar.high);
            (self.close, self.turn) = (bar.open, 0);
            self.first = 0;
            self.bins.push_back(0.0);
        }
        self.low = self.low.min(bar.low);
        self.high = self.high.max(bar.high);
        if bar.close != self.close {
            (self.turn, self.close) = ((bar.close - self.close).signum(), bar.close);
        }
        let (mut from, mut to) = (self.bin_of(bar.low), self.bin_of(bar.high));
        while self.bins_with(from, to) > max_bins {
            self.coarsen();
            (from, to) = (self.bin_of(bar.low), self.bin_of(bar.high));
        }
        while from < self.first {
            self.bins.push_front(0.0);
            self.first -= 1;
        }
        let (start, end) = ((from - self.first) as usize, (to - self.first) as usize);
        if end >= self.bins.len() {
            self.bins.resize(end + 1, 0.0);
        }
        let part = bar.volume as f64 / (to - from + 1) as f64;
        // Inner iteration runs over the two slices of the queue without asking at each bin which one it is in.
        self.bins.range_mut(start..=end).for_each(|bin| *bin += part);
        self.volume += i128::from(bar.volume);
    }

    /// Makes one bin of three. Outer bins are added first, so that mirrored bins give the same sum.
    fn coarsen(&mut self) {
        let first = (self.first + 1).div_euclid(3);
        let last = (self.first + self.bins.len() as i64).div_euclid(3);
        let old = |bins: &VecDeque<f64>, bin: i64| {
            let position = usize::try_from(bin - self.first);
            position.ok().and_then(|position| bins.get(position).copied()).unwrap_or(0.0)
        };
        for bin in first..=last {
            let sum = old(&self.bins, 3 * bin) + (old(&self.bins, 3 * bin - 1) + old(&self.bins, 3 * bin + 1));
            self.bins[(bin - first) as usize] = sum;
        }
        self.bins.truncate((last - first + 1) as usize);
        (self.first, self.half) = (first, 3 * self.half + 1);
    }

    /// Position of the point of control. Where the close never moved, every bar traded at the first open, whose bin
    /// then holds as much as any: so the three distances leave no tie.
    fn fullest(&self) -> Option<usize> {
        let distance = |position: usize| {
            let centre = self.centre(position);
            ((2 * centre - self.low - self.high).abs(), (centre - self.close).abs(), -self.turn * centre)
        };
        let bins = self.bins.iter().copied().enumerate();
        let better = |best: (usize, f64), next: (usize, f64)| {
            if next.1 > best.1 || (next.1 == best.1 && distance(next.0) < distance(best.0)) {
                next
            } else {
                best
            }
        };
        bins.reduce(better).map(|(position, _)| position)
    }

    /// Positions of the lowest and the highest bin of the value area around `control`.
    fn value_area(&self, control: usize, share: f64) -> (usize, usize) {
        let target = share * self.volume as f64;
        let (mut from, mut to) = (control, control);
        let mut held = self.bins[control];
        while held < target {
            let below = from.checked_sub(1).map(|position| self.bins[position]);
            let above = self.bins.get(to + 1).copied();
            let down = below.filter(|&below| above.is_none_or(|above| below >= above));
            let up = above.filter(|&above| below.is_none_or(|below| above >= below));
            if down.is_none() && up.is_none() {
                break;
            }
            from -= usize::from(down.is_some());
            to += usize::from(up.is_some());
            held += down.unwrap_or(0.0) + up.unwrap_or(0.0);
        }
        (from, to)
    }

    /// Where was traded so far; None without volume.
    pub fn reading(&self, scope: Scope, share: f64) -> Option<VolumeProfile> {
        let control = self.fullest().filter(|_| self.volume > 0)?;
        let (from, to) = self.value_area(control, share);
        let Self { half, formed_at, low, high, volume, .. } = *self;
        Some(VolumeProfile {
            scope,
            formed_at,
            low,
            high,
            point_of_control: self.centre(control).clamp(low, high),
            value_low: (self.centre(from) - half).max(low),
            value_high: (self.centre(to) + half).min(high),
            volume,
        })
    }
}
