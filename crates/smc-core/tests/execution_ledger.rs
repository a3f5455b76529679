//! The ledger's books balance to the last quote unit, whatever the fills.
#![allow(clippy::unwrap_used)]

use proptest::prelude::*;
use smc_core::execution::{Ledger, LedgerError};
use smc_core::market::Instrument;

type Fill = (u16, bool, i64, i64, i64);

fn ledger(cash: i128) -> Ledger {
    Ledger::new(Instrument::new("sim", "BTCUSDT", "0.01", "0.00001", "5").unwrap(), cash)
}

fn side_of(buys: bool) -> i8 {
    if buys {
        1
    } else {
        -1
    }
}

fn fills() -> impl Strategy<Value = Vec<Fill>> {
    let small = (0u16..40, any::<bool>(), 1i64..12, 1i64..30, -3i64..5);
    let large = (0u16..40, any::<bool>(), 1i64..1_000_000_000_000, 1i64..10_000_000_000, 0i64..1_000_000_000);
    prop_oneof![prop::collection::vec(small, 0..60), prop::collection::vec(large, 0..60)]
}

proptest! {
    #[test]
    fn equity_is_cash_flow_plus_marked_position_at_every_moment(fills in fills(), cash in -1_000i64..1_000_000, mark in 1i64..10_000_000_000) {
        let mut books = ledger(cash.into());
        let (mut flow, mut lots, mut fees) = (i128::from(cash), 0i128, 0i128);
        let mut seen = std::collections::BTreeSet::new();
        for (id, buys, quantity, price, fee) in fills {
            let side = side_of(buys);
            let fresh = seen.insert(id);
            prop_assert_eq!(books.apply_fill(&format!("t{id}"), side, quantity, price, fee.into()), Ok(fresh));
            if fresh {
                flow -= i128::from(side) * i128::from(quantity) * i128::from(price);
                lots += i128::from(side) * i128::from(quantity);
                fees += i128::from(fee);
            }
            prop_assert_eq!(books.equity(mark), flow + lots * i128::from(mark) - fees);
            prop_assert_eq!(i128::from(books.position().lots()), lots);
            prop_assert_eq!(books.fees(), fees);
            prop_assert_eq!(books.cash(), i128::from(cash) + books.realised() - books.fees());
            if lots == 0 {
                prop_assert_eq!((books.position().basis(), books.cash()), (0, flow - fees));
            }
        }
    }

    #[test]
    fn the_average_lies_between_the_prices_paid(fills in prop::collection::vec((1i64..100, 50i64..90), 1..20)) {
        let mut books = ledger(0);
        for (index, (quantity, price)) in fills.iter().enumerate() {
            books.apply_fill(&index.to_string(), 1, *quantity, *price, 0).unwrap();
        }
        let average = books.position().average_price().unwrap();
        let (least, most) = (fills.iter().map(|f| f.1).min().unwrap(), fills.iter().map(|f| f.1).max().unwrap());
        prop_assert!(average >= least as f64 && average <= most as f64);
    }

    #[test]
    fn a_restored_ledger_goes_on_the_same(fills in fills(), cut in 0usize..60) {
        let mut whole = ledger(1_000);
        let mut parts = ledger(1_000);
        for (index, (id, buys, quantity, price, fee)) in fills.into_iter().enumerate() {
            if index == cut {
                parts = postcard::from_bytes(&postcard::to_stdvec(&parts).unwrap()).unwrap();
            }
            for books in [&mut whole, &mut parts] {
                books.apply_fill(&id.to_string(), side_of(buys), quantity, price, fee.into()).unwrap();
            }
        }
        prop_assert_eq!(whole, parts);
    }
}

#[test]
fn what_is_no_fill_is_refused_and_changes_nothing() {
    let mut books = ledger(100);
    books.apply_fill("a", 1, 2, 50, 1).unwrap();
    let before = books.clone();
    assert_eq!(books.apply_fill("", 1, 1, 1, 0), Err(LedgerError::EmptyFillId));
    assert!(matches!(books.apply_fill("b", 0, 1, 1, 0), Err(LedgerError::BadSide { side: 0, .. })));
    assert!(matches!(books.apply_fill("b", 1, 0, 1, 0), Err(LedgerError::NotPositive { name: "quantity", .. })));
    assert!(matches!(books.apply_fill("b", 1, 1, -1, 0), Err(LedgerError::NotPositive { name: "price", .. })));
    assert!(matches!(books.apply_fill("b", 1, i64::MAX, 1, 0), Err(LedgerError::Overflow { .. })));
    assert!(matches!(books.apply_fill("b", 1, 1, 1, i128::MAX), Err(LedgerError::Overflow { .. })));
    assert_eq!(books, before);
    assert_eq!(books.apply_fill("b", -1, 2, 60, 1), Ok(true));
    assert_eq!((books.cash(), books.realised(), books.position().average_price()), (118, 20, None));
}
