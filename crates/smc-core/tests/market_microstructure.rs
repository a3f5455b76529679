//! Microstructure event by event beside plain computation over all that happened.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use proptest::prelude::*;
use smc_core::market::microstructure::{
    effective_spread, weighted_mid, KyleLambda, Markouts, MicroPrice, OrderFlowImbalance, Resilience, Vpin,
};

type Level = (i64, i64);

/// Quotes as (bid, ask) around a walking middle.
fn quotes(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<(Level, Level)>> {
    let step = (-1i64..=1, 1i64..=3, 1i64..50, 1i64..50, 0u8..3);
    prop::collection::vec(step, count).prop_map(|steps| {
        let mut bid = 10_000;
        let quote = |(change, spread, mut bid_lots, ask_lots, moves)| {
            // An imbalance on the edge of a bucket lies in one bucket and its mirror image not in the mirrored one.
            while 3 * bid_lots % (bid_lots + ask_lots) == 0 {
                bid_lots += 1;
            }
            bid += if moves == 0 { change } else { 0 };
            ((bid, bid_lots), (bid + spread, ask_lots))
        };
        steps.into_iter().map(quote).collect()
    })
}

/// The adjustment of each of 3 buckets by 2 spreads: expected moves of the middle over many steps of the mirrored chain.
fn plain_micro_price(quotes: &[(Level, Level)], steps: usize) -> Vec<f64> {
    let state = |(bid, ask): (Level, Level)| {
        let bucket = (3 * bid.1 / (bid.1 + ask.1)).min(2) as usize;
        ((ask.0 - bid.0).min(2) as usize - 1, bucket)
    };
    let mut seen = Vec::new();
    for pair in quotes.windows(2) {
        let change = ((pair[1].0 .0 + pair[1].1 .0) - (pair[0].0 .0 + pair[0].1 .0)) as f64 / 2.0;
        let (from, to) = (state(pair[0]), state(pair[1]));
        seen.push((from, to, change));
        seen.push(((from.0, 2 - from.1), (to.0, 2 - to.1), -change));
    }
    let index = |state: (usize, usize)| state.0 * 3 + state.1;
    let (mut chances, mut mean, mut left) = ([[0.0; 6]; 6], [0.0; 6], [0.0; 6]);
    for &(from, to, change) in &seen {
        chances[index(from)][index(to)] += 1.0;
        mean[index(from)] += change;
        left[index(from)] += 1.0;
    }
    for from in 0..6 {
        let count = f64::max(left[from], 1.0);
        chances[from].iter_mut().for_each(|chance| *chance /= count);
        mean[from] /= count;
    }
    let (mut ahead, mut sum) = (mean, mean);
    for _ in 1..steps {
        let next = |from: usize| (0..6).map(|to| chances[from][to] * ahead[to]).sum();
        ahead = std::array::from_fn(next);
        (0..6).for_each(|state| sum[state] += ahead[state]);
    }
    sum.to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_micro_price_is_the_middle_expected_far_ahead(quotes in quotes(1_500..2_000)) {
        let mut counts = MicroPrice::new(3, 2).unwrap();
        quotes.iter().for_each(|&(bid, ask)| counts.on_quote(bid, ask).unwrap());
        let model = counts.fit(400).unwrap();
        let plain = plain_micro_price(&quotes, 4_000);
        for (ours, plain) in model.adjustments().iter().zip(&plain) {
            prop_assert!((ours - plain).abs() < 1e-6, "{ours} {plain}");
        }
        // Mirrored books have opposite adjustments.
        for spread in 0..2 {
            for bucket in 0..3 {
                let (one, other) = (model.adjustments()[spread * 3 + bucket], model.adjustments()[spread * 3 + 2 - bucket]);
                prop_assert!((one + other).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn the_fit_is_a_martingale(quotes in quotes(1_500..2_000)) {
        let mut counts = MicroPrice::new(3, 2).unwrap();
        quotes.iter().for_each(|&(bid, ask)| counts.on_quote(bid, ask).unwrap());
        let model = counts.fit(400).unwrap();
        // One step ahead, over the quotes and their mirror images, the mean change of the micro-price is zero.
        let mirrored: Vec<_> = quotes.iter().map(|&(bid, ask)| ((-ask.0, ask.1), (-bid.0, bid.1))).collect();
        let mut sums = std::collections::BTreeMap::new();
        for path in [&quotes, &mirrored] {
            for pair in path.windows(2) {
                let price = |quote: (Level, Level)| model.price(quote.0, quote.1).unwrap();
                let middle = (pair[0].0.0 + pair[0].1.0) as f64 / 2.0;
                let key = ((price(pair[0]) - middle) * 1e9).round() as i64;
                let sum = sums.entry(key).or_insert((0.0, 0.0));
                *sum = (sum.0 + price(pair[1]) - price(pair[0]), sum.1 + 1.0);
            }
        }
        for (sum, count) in sums.into_values() {
            prop_assert!((sum / count).abs() < 1e-6, "{sum} {count}");
        }
    }

    #[test]
    fn order_flow_imbalance_is_the_sum_of_the_definition(
        books in prop::collection::vec((quotes(3..4), 0i64..30), 2..60),
    ) {
        let mut streaming = OrderFlowImbalance::new(2, 50).unwrap();
        let (mut time, mut history) = (0, Vec::new());
        for (levels, wait) in books {
            time += wait;
            // The second level may be missing.
            let depth = if levels[2].0.1 % 3 == 0 { 1 } else { 2 };
            let bids: Vec<Level> = (0..depth).map(|k| (levels[0].0.0 - 2 * k, levels[k as usize].0.1)).collect();
            let asks: Vec<Level> = (0..depth).map(|k| (levels[0].1.0 + 2 * k, levels[k as usize].1.1)).collect();
            streaming.on_book(time, &bids, &asks);
            history.push((time, bids, asks));
            for level in 0..2 {
                let mut sum = 0;
                for pair in history.windows(2).filter(|pair| time - pair[1].0 < 50) {
                    let side = |book: &Vec<Level>, none| book.get(level).copied().unwrap_or((none, 0));
                    let ((pb0, qb0), (pb, qb)) = (side(&pair[0].1, i64::MIN), side(&pair[1].1, i64::MIN));
                    let ((pa0, qa0), (pa, qa)) = (side(&pair[0].2, i64::MAX), side(&pair[1].2, i64::MAX));
                    sum += i64::from(pb >= pb0) * qb - i64::from(pb <= pb0) * qb0;
                    sum += i64::from(pa >= pa0) * qa0 - i64::from(pa <= pa0) * qa;
                }
                prop_assert_eq!(streaming.sums()[level], sum);
            }
        }
    }

    #[test]
    fn kyles_lambda_is_the_weighted_regression(
        points in prop::collection::vec((-50.0f64..50.0, -5.0f64..5.0), 3..80), half_life in 2.0f64..40.0,
    ) {
        let mut streaming = KyleLambda::new(half_life).unwrap();
        points.iter().for_each(|&(x, y)| streaming.observe(x, y).unwrap());
        let weights: Vec<f64> = (0..points.len()).rev().map(|age| 0.5f64.powf(age as f64 / half_life)).collect();
        let sum = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
            points.iter().zip(&weights).map(|(&(x, y), weight)| weight * of(x, y)).sum()
        };
        let total: f64 = weights.iter().sum();
        let effective = total * total / weights.iter().map(|weight| weight * weight).sum::<f64>();
        let (mx, my) = (sum(&|x, _| x) / total, sum(&|_, y| y) / total);
        let xx = sum(&|x, _| (x - mx).powi(2));
        let slope = sum(&|x, y| (x - mx) * (y - my)) / xx;
        let residual = sum(&|x, y| (y - my - slope * (x - mx)).powi(2));
        let error = (residual / total / (effective - 2.0) / (xx / total)).sqrt();
        match streaming.estimate() {
            Some(ours) => {
                prop_assert!((ours.lambda - slope).abs() < 1e-8 * (1.0 + slope.abs()));
                prop_assert!((ours.standard_error - error).abs() < 1e-6 * (1.0 + error));
                prop_assert!((ours.observations - effective).abs() < 1e-6);
            }
            None => prop_assert!(effective < 3.0 + 1e-9),
        }
    }

    #[test]
    fn markouts_are_the_middle_as_of_each_horizon(
        events in prop::collection::vec((0i64..40, 9_990i64..10_010, 1i64..4, -1i8..=1), 2..150),
    ) {
        let horizons = [10, 100];
        let mut streaming = Markouts::new(&horizons).unwrap();
        let (mut time, mut mids, mut trades, mut effective) = (0, Vec::<(i64, i64)>::new(), Vec::new(), 0);
        for (wait, price, spread, side) in events {
            time += wait;
            if side == 0 {
                streaming.on_quote(time, price, price + spread).unwrap();
                mids.push((time, 2 * price + spread));
            } else if streaming.on_trade(time, side, price).unwrap() {
                effective += i64::from(side) * (2 * price - mids.last().unwrap().1);
                trades.push((time, side, price));
            }
        }
        let as_of = |time: i64| mids.iter().rfind(|mid| mid.0 <= time).unwrap().1;
        for (k, horizon) in horizons.iter().enumerate() {
            // Settled is what was due before the last event.
            let known: Vec<f64> = trades.iter().filter(|trade| trade.0 + horizon < time)
                .map(|&(at, side, price)| f64::from(side) * (as_of(at + horizon) - 2 * price) as f64 / 2.0).collect();
            let ours = &streaming.horizons()[k];
            prop_assert_eq!(ours.count(), known.len() as u64);
            if !known.is_empty() {
                let mean = known.iter().sum::<f64>() / known.len() as f64;
                prop_assert!((ours.mean().unwrap() - mean).abs() < 1e-9);
                prop_assert!((ours.realised_spread().unwrap() + 2.0 * mean).abs() < 1e-9);
                let squares: f64 = known.iter().map(|markout| (markout - mean).powi(2)).sum();
                if let Some(z) = ours.z_score() {
                    let count = known.len() as f64;
                    prop_assert!((z - mean / (squares / (count - 1.0) / count).sqrt()).abs() < 1e-6 * (1.0 + z.abs()));
                }
            }
        }
        let mean = (!trades.is_empty()).then(|| effective as f64 / trades.len() as f64);
        prop_assert_eq!(streaming.effective_spread(), mean);
    }

    #[test]
    fn vpin_is_the_mean_over_single_lots(
        trades in prop::collection::vec((prop::bool::ANY, 1i64..70), 1..80), bucket in 1i64..20, buckets in 1usize..6,
    ) {
        let mut streaming = Vpin::new(bucket, buckets).unwrap();
        let mut lots: Vec<i64> = Vec::new();
        for (buys, count) in trades {
            let side: i8 = if buys { 1 } else { -1 };
            streaming.on_trade(side, count).unwrap();
            lots.extend(std::iter::repeat_n(i64::from(side), count as usize));
            let full: Vec<f64> = lots.chunks_exact(bucket as usize).map(|one| one.iter().sum::<i64>().abs() as f64).collect();
            let plain = full.len().checked_sub(buckets).map(|first| {
                full[first..].iter().sum::<f64>() / (buckets as f64 * bucket as f64)
            });
            prop_assert_eq!(streaming.value(), plain);
        }
    }
}

#[test]
fn a_planted_half_life_is_found() {
    let mut resilience = Resilience::new(1.0, 0.1, 60_000_000_000).unwrap();
    let (normal, rate) = (2.0, 0.7);
    let mut time = 0;
    for sweep in 0..20 {
        for step in 0..2_000 {
            let seconds = f64::from(step) * 0.01;
            let excess = if sweep == 0 { 0.0 } else { 8.0 * (-rate * seconds).exp() };
            resilience.observe(time, normal + excess).unwrap();
            time += 10_000_000;
        }
    }
    assert_eq!(resilience.episodes(), (19, 0));
    // Sampled every hundredth of a second; the tail of a sweep lifts the normal a little.
    assert!((resilience.rate().unwrap() / rate - 1.0).abs() < 0.03, "{:?}", resilience.rate());
}

#[test]
fn an_excess_that_stays_is_the_new_normal() {
    let mut resilience = Resilience::new(0.5, 0.5, 100).unwrap();
    let ended: Vec<_> = [(0, 4.0), (10, 6.0), (20, 8.0), (90, 6.5), (121, 7.0), (130, 7.0), (140, 14.0), (170, 9.0)]
        .into_iter()
        .map(|(time, value)| resilience.observe(time, value).unwrap())
        .collect();
    assert_eq!(ended[7], Some(30.0));
    assert!(ended[..7].iter().all(Option::is_none));
    assert_eq!(resilience.episodes(), (1, 1));
    assert!(resilience.observe(0, f64::NAN).is_err());
}

#[test]
fn a_market_that_never_moves_adjusts_nothing_and_nonsense_is_named() {
    let mut counts = MicroPrice::new(4, 1).unwrap();
    for lots in [5, 50, 5, 50] {
        counts.on_quote((99, lots), (100, 10)).unwrap();
    }
    let model = counts.fit(10).unwrap();
    assert_eq!(model.price((99, 5), (100, 10)), Ok(99.5));
    assert_eq!(counts.on_quote((100, 1), (100, 1)).unwrap_err().to_string(), "bid is 100; it must be below the ask");
    assert_eq!(weighted_mid((99, 30), (100, 10)), Ok(99.75));
    assert_eq!(effective_spread(1, 102, 99, 101), 4);
    assert!(MicroPrice::new(100, 5).is_err());
    assert!(Markouts::new(&[]).is_err());
    assert!(Vpin::new(1, 1).unwrap().on_trade(0, 1).is_err());
    assert!(OrderFlowImbalance::new(0, 1).is_err());
    assert!(KyleLambda::new(f64::NAN).is_err());
}
