//! Inverse gaps, balanced price ranges, volume imbalances, opening gaps.

use proptest::prelude::*;
use smc_core::smc::{Event, EventKind, PivotRule, Scope};

use super::smc_common::plain::{averages, check_life, closed, of_kind, record_at, unbounded, Ends, Records};
use super::smc_common::{run, walk};

const INVERSE: Records = Records {
    edge_enters: false,
    touched: EventKind::InverseFairValueGapTouched,
    half: Some(EventKind::InverseFairValueGapHalfFilled),
    ends: Ends::CloseBeyond,
    ended: EventKind::InverseFairValueGapInvalidated,
};
const BALANCED: Records = Records {
    edge_enters: false,
    touched: EventKind::BalancedPriceRangeTouched,
    half: None,
    ends: Ends::Traded,
    ended: EventKind::BalancedPriceRangeTraversed,
};
const IMBALANCE: Records = Records {
    edge_enters: false,
    touched: EventKind::VolumeImbalanceTouched,
    half: None,
    ends: Ends::Traded,
    ended: EventKind::VolumeImbalanceFilled,
};
const OPENING: Records = Records {
    edge_enters: false,
    touched: EventKind::OpeningGapTouched,
    half: Some(EventKind::OpeningGapHalfFilled),
    ends: Ends::Traded,
    ended: EventKind::OpeningGapFilled,
};

type Place = (i64, i64, i8, i64, i64);

fn places(zones: &[&Event]) -> Vec<Place> {
    zones.iter().map(|e| (e.formed_at, e.confirmed_at, e.direction, e.low, e.high)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn inverted_gaps_act_the_other_way(bars in walk(20..250)) {
        let events = run(unbounded(PivotRule::Leg, None), &bars).1;
        let zones = of_kind(&events, EventKind::InverseFairValueGap);
        let mut inversions = of_kind(&events, EventKind::FairValueGapInverted);
        inversions.sort_by_key(|e| e.id);
        prop_assert_eq!(zones.len(), inversions.len());
        for (zone, inversion) in zones.into_iter().zip(inversions) {
            let gap = events.iter().find(|e| e.id == inversion.zone_id).unwrap();
            prop_assert_eq!((zone.source_id, zone.direction), (inversion.id, inversion.direction));
            let expected = (gap.formed_at, inversion.confirmed_at, -gap.direction, gap.low, gap.high);
            prop_assert_eq!(places(&[zone])[0], expected);
            check_life(&bars, &events, zone, &INVERSE);
        }
    }

    #[test]
    fn opposite_gaps_that_overlap_balance(bars in walk(20..400)) {
        let events = run(unbounded(PivotRule::Leg, None), &bars).1;
        let gaps = of_kind(&events, EventKind::FairValueGap);
        let mut expected = Vec::new();
        for gap in &gaps {
            let t = closed(&bars, gap.confirmed_at);
            let fits = |other: &&&Event| {
                let filled = record_at(&bars, &events, other.id, EventKind::FairValueGapFilled);
                other.direction == -gap.direction
                    && other.id < gap.id
                    && closed(&bars, other.confirmed_at) + 12 >= t
                    && filled.is_none_or(|(bar, _)| bar > t)
                    && other.low.max(gap.low) < other.high.min(gap.high)
            };
            if let Some(other) = gaps.iter().filter(fits).max_by_key(|e| e.id) {
                let (low, high) = (other.low.max(gap.low), other.high.min(gap.high));
                expected.push((gap.formed_at, gap.confirmed_at, gap.direction, low, high));
            }
        }
        let zones = of_kind(&events, EventKind::BalancedPriceRange);
        prop_assert_eq!(places(&zones), expected);
        for zone in zones {
            check_life(&bars, &events, zone, &BALANCED);
        }
    }

    #[test]
    fn bodies_and_bars_that_do_not_meet(bars in walk(20..250)) {
        let events = run(unbounded(PivotRule::Leg, None), &bars).1;
        let atr = averages(&bars, 5);
        let (mut imbalances, mut gaps): (Vec<Place>, Vec<Place>) = (Vec::new(), Vec::new());
        for t in 1..bars.len() {
            let (old, new) = (&bars[t - 1], &bars[t]);
            let bodies = [old, new].map(|bar| (bar.open.min(bar.close), bar.open.max(bar.close)));
            let apart = |a: (i64, i64), b: (i64, i64)| {
                if b.0 > a.1 { Some((1, a.1, b.0)) } else if b.1 < a.0 { Some((-1, b.1, a.0)) } else { None }
            };
            let enough = |size: i64| atr[t - 1].is_some_and(|atr| size as f64 >= 0.05 * atr);
            let place = |(direction, low, high)| (new.open_time, new.close_time, direction, low, high);
            let wide = |found: &(i8, i64, i64)| enough(found.2 - found.1);
            match apart((old.low, old.high), (new.low, new.high)) {
                Some(found) => gaps.extend(Some(found).filter(wide).map(place)),
                None => imbalances.extend(apart(bodies[0], bodies[1]).filter(wide).map(place)),
            }
        }
        let zones = of_kind(&events, EventKind::VolumeImbalance);
        prop_assert_eq!(places(&zones), imbalances);
        zones.into_iter().for_each(|zone| check_life(&bars, &events, zone, &IMBALANCE));
        let mut zones = of_kind(&events, EventKind::OpeningGap);
        zones.retain(|zone| zone.scope == Scope::None);
        prop_assert_eq!(places(&zones), gaps);
        zones.into_iter().for_each(|zone| check_life(&bars, &events, zone, &OPENING));
    }
}
