//! The book is an ordered map, over prices near and far, and is the same after it was kept.

use proptest::prelude::*;
use smc_core::market::{Levels, OrderBook};
use std::collections::BTreeMap;

/// Prices that share pages, are far apart, and lie at the ends of the range.
fn price() -> impl Strategy<Value = i64> {
    prop_oneof![4 => 1i64..200, 2 => 1i64..100_000, 1 => 1i64..=i64::MAX, 1 => i64::MAX - 40..=i64::MAX]
}

fn updates() -> impl Strategy<Value = Vec<(bool, i64, i64)>> {
    let quantity = prop_oneof![2 => Just(0), 3 => 1i64..5, 1 => Just(i64::MAX)];
    prop::collection::vec((any::<bool>(), price(), quantity), 1..600)
}

proptest! {
    #[test]
    fn a_book_is_two_ordered_maps(updates in updates()) {
        let mut book = OrderBook::new();
        let (mut bids, mut asks) = (BTreeMap::new(), BTreeMap::new());
        for (is_bid, price, quantity) in updates {
            let side = if is_bid { 1 } else { -1 };
            let before = book.apply(side, price, quantity).unwrap();
            let model = if is_bid { &mut bids } else { &mut asks };
            let was = if quantity == 0 { model.remove(&price) } else { model.insert(price, quantity) };
            prop_assert_eq!(before, was.unwrap_or(0));
            prop_assert_eq!(book.quantity_at(side, price), quantity);
            prop_assert_eq!(book.best_bid(), bids.last_key_value().map(|(&p, &q)| (p, q)));
            prop_assert_eq!(book.best_ask(), asks.first_key_value().map(|(&p, &q)| (p, q)));
            prop_assert_eq!(book.level_count(), bids.len() + asks.len());
        }
        prop_assert_eq!(book.bids().collect::<Levels>(), bids.into_iter().rev().collect::<Levels>());
        prop_assert_eq!(book.asks().collect::<Levels>(), asks.into_iter().collect::<Levels>());
        let kept: OrderBook = postcard::from_bytes(&postcard::to_stdvec(&book).unwrap()).unwrap();
        prop_assert_eq!(&kept, &book);
    }
}

#[test]
fn pages_left_empty_by_a_walk_are_dropped_and_nothing_with_them() {
    let mut book = OrderBook::new();
    book.apply(1, 7, 70).unwrap();
    for step in 1..20_000 {
        book.apply(1, step * 100, step).unwrap();
        if step > 3 {
            book.apply(1, (step - 3) * 100, 0).unwrap();
        }
        assert_eq!(book.best_bid(), Some((step * 100, step)));
    }
    assert_eq!(book.levels(1, 9).unwrap(), [(1_999_900, 19_999), (1_999_800, 19_998), (1_999_700, 19_997), (7, 70)]);
    for price in [1_999_900, 1_999_800, 1_999_700] {
        book.apply(1, price, 0).unwrap();
    }
    assert_eq!((book.best_bid(), book.level_count()), (Some((7, 70)), 1));
}
