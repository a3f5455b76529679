//! Aggregation composes, trades and bars agree, and the book equals an ordered map.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod smc_common;

use std::collections::BTreeMap;

use proptest::prelude::*;
use smc_common::{timeframe, walk, START};
use smc_core::market::{Aggregator, Bar, OrderBook, Timeframe, Trade, TradeBarBuilder};

/// Bars of `target` from `bars` of `base`; one far later bar closes what is open.
fn aggregate(base: &str, target: &str, bars: &[Bar]) -> Vec<Bar> {
    let (base, target): (Timeframe, Timeframe) = (timeframe(base), timeframe(target));
    let mut aggregator = Aggregator::new(base, &[target]).unwrap();
    let mut closed = Vec::new();
    for bar in bars {
        aggregator.push(bar, &mut closed).unwrap();
    }
    aggregator.close_late(i64::MAX, &mut closed);
    closed.into_iter().map(|made| made.bar).collect()
}

fn trades() -> impl Strategy<Value = Vec<Trade>> {
    let step = (0i64..90, -3i64..=3, 1i64..5, -1i8..=1);
    prop::collection::vec(step, 1..300).prop_map(|steps| {
        let (mut time, mut price) = (START, 10_000);
        let trades = steps.into_iter().map(|(seconds, change, quantity, taker_side)| {
            time += seconds * 1_000_000_000;
            price += change;
            Trade { time, price, quantity, taker_side }
        });
        trades.collect()
    })
}

fn bars_of(name: &str, trades: &[Trade]) -> Vec<Bar> {
    let mut builder = TradeBarBuilder::new(timeframe(name));
    let mut bars: Vec<Bar> = trades.iter().filter_map(|trade| builder.update(trade).unwrap()).collect();
    bars.extend(builder.close_until(i64::MAX));
    bars
}

proptest! {
    #[test]
    fn aggregation_of_aggregation_is_direct_aggregation(bars in walk(1..400)) {
        let direct = aggregate("1m", "1h", &bars);
        for between in ["3m", "5m", "15m", "30m"] {
            prop_assert_eq!(&aggregate(between, "1h", &aggregate("1m", between, &bars)), &direct);
        }
        let volume: i64 = bars.iter().map(|bar| bar.volume).sum();
        prop_assert_eq!(direct.iter().map(|bar| bar.volume).sum::<i64>(), volume);
        prop_assert!(direct.iter().all(|bar| bar.validate().is_ok()));
    }

    #[test]
    fn trades_make_the_same_bars_directly_and_through_minutes(trades in trades()) {
        prop_assert_eq!(bars_of("15m", &trades), aggregate("1m", "15m", &bars_of("1m", &trades)));
    }

    #[test]
    fn the_book_is_an_ordered_map(
        updates in prop::collection::vec((prop::bool::ANY, 1i64..60, 0i64..4), 1..400),
    ) {
        let mut book = OrderBook::new();
        let mut model: [BTreeMap<i64, i64>; 2] = [BTreeMap::new(), BTreeMap::new()];
        for (is_bid, price, quantity) in updates {
            book.apply(if is_bid { 1 } else { -1 }, price, quantity).unwrap();
            let side = &mut model[usize::from(!is_bid)];
            if quantity == 0 {
                side.remove(&price);
            } else {
                side.insert(price, quantity);
            }
            let bids: Vec<_> = model[0].iter().rev().map(|(&p, &q)| (p, q)).collect();
            let asks: Vec<_> = model[1].iter().map(|(&p, &q)| (p, q)).collect();
            prop_assert_eq!(book.best_bid(), bids.first().copied());
            prop_assert_eq!(book.best_ask(), asks.first().copied());
            let crossed = bids.first().zip(asks.first()).is_some_and(|(bid, ask)| bid.0 >= ask.0);
            prop_assert_eq!(book.crossed(), crossed);
            prop_assert_eq!(book.levels(1, 100).unwrap(), bids);
            prop_assert_eq!(book.levels(-1, 100).unwrap(), asks);
        }
    }
}
