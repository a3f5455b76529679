//! The definitions written out plainly over whole arrays.

use smc_core::market::Bar;
use smc_core::smc::{DetectorConfig, Event, EventKind, PivotRule, Scope};

use super::{small, MINUTE};

pub const FOREVER: u32 = 1_000_000;

pub fn unbounded(rule: PivotRule, volatility_filter: Option<f64>) -> DetectorConfig {
    let mut config = small(rule);
    config.order_block.volatility_filter = volatility_filter;
    config.fair_value_gap.min_size_atr = 0.0;
    forever(&mut config);
    config
}

/// Nothing expires.
pub fn forever(config: &mut DetectorConfig) {
    for (age, count) in [
        (&mut config.order_block.max_age, &mut config.order_block.max_count),
        (&mut config.fair_value_gap.max_age, &mut config.fair_value_gap.max_count),
        (&mut config.liquidity.max_age, &mut config.liquidity.max_count),
        (&mut config.flipped_block.max_age, &mut config.flipped_block.max_count),
        (&mut config.rejection_block.max_age, &mut config.rejection_block.max_count),
        (&mut config.propulsion_block.max_age, &mut config.propulsion_block.max_count),
        (&mut config.inverse_fair_value_gap.max_age, &mut config.inverse_fair_value_gap.max_count),
        (&mut config.balanced_price_range.max_age, &mut config.balanced_price_range.max_count),
        (&mut config.volume_imbalance.max_age, &mut config.volume_imbalance.max_count),
        (&mut config.opening_gap.max_age, &mut config.opening_gap.max_count),
        (&mut config.equal_levels.max_age, &mut config.equal_levels.max_count),
        (&mut config.inducement.max_age, &mut config.inducement.max_count),
        (&mut config.reclaimed_block.max_age, &mut config.reclaimed_block.max_count),
        (&mut config.liquidity_void.max_age, &mut config.liquidity_void.max_count),
        (&mut config.volume_profile.max_age, &mut config.volume_profile.max_count),
    ] {
        (*age, *count) = (FOREVER, FOREVER);
    }
}

/// (pivot bar, confirming bar, side)
pub type Found = (usize, usize, i8);

/// A bar's high for side +1, its negated low for side -1: lows are highs upside down.
pub fn reach(bar: &Bar, side: i8) -> i64 {
    if side > 0 {
        bar.high
    } else {
        -bar.low
    }
}

pub fn fractals(bars: &[Bar], size: usize) -> Vec<Found> {
    let mut found = Vec::new();
    for p in size..bars.len().saturating_sub(size) {
        for side in [1, -1] {
            let top = reach(&bars[p], side);
            let left = bars[p - size..p].iter().all(|bar| reach(bar, side) < top);
            let right = bars[p + 1..=p + size].iter().all(|bar| reach(bar, side) <= top);
            if left && right {
                found.push((p, p + size, side));
            }
        }
    }
    found
}

pub fn legs(bars: &[Bar], size: usize) -> Vec<Found> {
    let (mut found, mut leg) = (Vec::new(), 0);
    for t in size..bars.len() {
        let p = t - size;
        let beyond = |side| bars[p + 1..=t].iter().all(|bar| reach(bar, side) < reach(&bars[p], side));
        let turn = if beyond(1) {
            -1
        } else if beyond(-1) {
            1
        } else {
            leg
        };
        if turn != leg {
            if leg != 0 {
                found.push((p, t, -turn));
            }
            leg = turn;
        }
    }
    found
}

/// (break bar, direction, pivot bar, is a change of character)
pub fn breaks(bars: &[Bar], pivots: &[Found]) -> Vec<(usize, i8, usize, bool)> {
    let (mut found, mut bias, mut used) = (Vec::new(), 0, Vec::new());
    for t in 1..bars.len() {
        for side in [1, -1] {
            let Some(&(p, ..)) = pivots.iter().rev().find(|&&(_, known, s)| known <= t && s == side) else { continue };
            let level = reach(&bars[p], side);
            let close = |bar: &Bar| i64::from(side) * bar.close;
            if close(&bars[t]) > level && close(&bars[t - 1]) <= level && !used.contains(&(p, side)) {
                used.push((p, side));
                found.push((t, side, p, bias == -side));
                bias = side;
            }
        }
    }
    found
}

/// Wilder's average after each bar, from its definition.
pub fn averages(bars: &[Bar], period: usize) -> Vec<Option<f64>> {
    let range = |t: usize| {
        let previous = if t == 0 { bars[0].close } else { bars[t - 1].close };
        let bar = &bars[t];
        (bar.high - bar.low).max((bar.high - previous).abs()).max((bar.low - previous).abs()) as f64
    };
    let mut out: Vec<Option<f64>> = Vec::new();
    for t in 0..bars.len() {
        out.push(match t + 1 {
            seen if seen < period => None,
            seen if seen == period => Some((0..period).map(range).sum::<f64>() / period as f64),
            _ => out[t - 1].map(|before| (before * (period - 1) as f64 + range(t)) / period as f64),
        });
    }
    out
}

pub fn times(bars: &[Bar], events: &[Event], kind: EventKind, scope: Scope) -> Vec<(usize, usize, i8)> {
    let at = |time: i64| bars.iter().position(|bar| bar.open_time == time).unwrap();
    let wanted = events.iter().filter(|event| event.kind == kind && event.scope == scope);
    wanted.map(|event| (at(event.formed_at), at(event.confirmed_at - MINUTE), event.side)).collect()
}

/// First bar after `from` that satisfies a condition, up to and including `until`.
pub fn first(bars: &[Bar], from: usize, until: usize, holds: impl Fn(&Bar) -> bool) -> Option<usize> {
    (from + 1..=until.min(bars.len() - 1)).find(|&u| holds(&bars[u]))
}

pub fn record_at(bars: &[Bar], events: &[Event], zone: u64, kind: EventKind) -> Option<(usize, bool)> {
    let event = events.iter().find(|event| event.zone_id == zone && event.kind == kind)?;
    let bar = bars.iter().position(|bar| bar.close_time == event.confirmed_at).unwrap();
    Some((bar, event.ambiguous))
}

/// Number of the bar that opened at `time`.
pub fn opened(bars: &[Bar], time: i64) -> usize {
    bars.iter().position(|bar| bar.open_time == time).unwrap()
}

/// Number of the bar that closed at `time`.
pub fn closed(bars: &[Bar], time: i64) -> usize {
    bars.iter().position(|bar| bar.close_time == time).unwrap()
}

pub fn of_kind(events: &[Event], kind: EventKind) -> Vec<&Event> {
    events.iter().filter(|event| event.kind == kind).collect()
}

/// What ends a zone.
#[derive(Clone, Copy, PartialEq)]
pub enum Ends {
    CloseBeyond,
    CloseBeyondHalf,
    Traded,
}

/// The records of a kind's life: touched, half used, ended.
pub struct Records {
    pub edge_enters: bool,
    pub touched: EventKind,
    pub half: Option<EventKind>,
    pub ends: Ends,
    pub ended: EventKind,
}

/// Checks every record of the life of `zone` against the bars after the one that confirmed it.
pub fn check_life(bars: &[Bar], events: &[Event], zone: &Event, records: &Records) {
    let born = closed(bars, zone.confirmed_at);
    let (direction, sign) = (zone.direction, i64::from(zone.direction));
    let (near, far) = if direction > 0 { (zone.high, zone.low) } else { (-zone.low, -zone.high) };
    let depth = |bar: &Bar| -reach(bar, -direction);
    let close = |bar: &Bar| sign * bar.close;
    let end = first(bars, born, usize::MAX, |bar| match records.ends {
        Ends::CloseBeyond => close(bar) < far,
        Ends::CloseBeyondHalf => 2 * close(bar) < near + far,
        Ends::Traded => depth(bar) <= far,
    });
    let until = end.unwrap_or(usize::MAX);
    let touched = first(bars, born, until, |bar| depth(bar) < near + i64::from(records.edge_enters));
    let half = first(bars, born, until, |bar| 2 * depth(bar) <= near + far);
    let ambiguous = records.ends != Ends::Traded && touched == end;
    let expected = |at: Option<usize>| at.map(|at| (at, ambiguous));
    assert_eq!(record_at(bars, events, zone.id, records.touched), expected(touched), "touched: {zone:?}");
    if let Some(kind) = records.half {
        assert_eq!(record_at(bars, events, zone.id, kind), expected(half), "half: {zone:?}");
    }
    assert_eq!(record_at(bars, events, zone.id, records.ended), expected(end), "ended: {zone:?}");
}

/// Checks that a level ends when a bar first trades beyond it, or at bar `replaced` if that comes first.
pub fn check_replaced_level(
    bars: &[Bar],
    events: &[Event],
    level: &Event,
    replaced: Option<usize>,
    [swept, run, expired]: [EventKind; 3],
) {
    let born = closed(bars, level.confirmed_at);
    let sign = i64::from(level.side);
    let until = replaced.unwrap_or(usize::MAX);
    let taken = first(bars, born, until, |bar| reach(bar, level.side) > sign * level.low);
    let beyond = |&u: &usize| sign * bars[u].close > sign * level.low;
    let plain = |at: Option<usize>| at.map(|at| (at, false));
    assert_eq!(record_at(bars, events, level.id, swept), plain(taken.filter(|u| !beyond(u))), "swept: {level:?}");
    assert_eq!(record_at(bars, events, level.id, run), plain(taken.filter(beyond)), "run: {level:?}");
    let over = replaced.filter(|_| taken.is_none());
    assert_eq!(record_at(bars, events, level.id, expired), plain(over), "expired: {level:?}");
}

/// Checks that a level of `side` ends when a bar first trades beyond it: by a sweep or, where there is one, a run.
pub fn check_level(bars: &[Bar], events: &[Event], level: &Event, swept: EventKind, run: Option<EventKind>) {
    let born = closed(bars, level.confirmed_at);
    let sign = i64::from(level.side);
    let taken = first(bars, born, usize::MAX, |bar| reach(bar, level.side) > sign * level.low);
    let beyond = |&u: &usize| run.is_some() && sign * bars[u].close > sign * level.low;
    let plain = |at: Option<usize>| at.map(|at| (at, false));
    assert_eq!(record_at(bars, events, level.id, swept), plain(taken.filter(|u| !beyond(u))), "swept: {level:?}");
    if let Some(run) = run {
        assert_eq!(record_at(bars, events, level.id, run), plain(taken.filter(beyond)), "run: {level:?}");
    }
}
