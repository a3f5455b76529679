//! Streams that lose, double and reorder their messages: the book is right or can't be read.

use proptest::prelude::*;
use smc_core::market::{
    BookError, DepthDiff, DepthRule, DepthSync, DepthSyncError, DiffOutcome, Levels, OrderBook, SnapshotOutcome,
};

/// A venue's history: diffs in order, and the book after each.
struct History {
    diffs: Vec<DepthDiff>,
    books: Vec<OrderBook>,
}

type Change = (bool, i64, i64);

/// Ids of futures have holes, those of spot have none.
fn history(rule: DepthRule, messages: &[(Vec<Change>, u64)]) -> History {
    let (mut book, mut last) = (OrderBook::new(), 1_000);
    let mut history = History { diffs: Vec::new(), books: Vec::new() };
    for (changes, hole) in messages {
        let hole = if rule == DepthRule::Futures { *hole } else { 0 };
        let first = last + 1 + hole;
        let mut diff = DepthDiff { first_id: first, last_id: first + changes.len() as u64 - 1, ..DepthDiff::default() };
        diff.previous_id = if rule == DepthRule::Futures { last } else { 0 };
        last = diff.last_id;
        for &(is_bid, price, quantity) in changes {
            book.apply(if is_bid { 1 } else { -1 }, price, quantity).unwrap();
            // A message holds the last quantity of each price, in any order.
            let side = if is_bid { &mut diff.bids } else { &mut diff.asks };
            side.retain(|level| level.0 != price);
            side.push((price, quantity));
        }
        history.diffs.push(diff);
        history.books.push(book.clone());
    }
    history
}

fn messages() -> impl Strategy<Value = Vec<(Vec<Change>, u64)>> {
    let change = (any::<bool>(), 1i64..40, 0i64..4);
    prop::collection::vec((prop::collection::vec(change, 1..5), 0u64..3), 2..40)
}

fn rules() -> impl Strategy<Value = DepthRule> {
    prop_oneof![Just(DepthRule::Spot), Just(DepthRule::Futures)]
}

fn snapshot(book: &OrderBook) -> (Levels, Levels) {
    (book.bids().collect(), book.asks().collect())
}

/// Whatever can be read is the venue's book at that id.
fn check(sync: &DepthSync, history: &History) {
    assert_eq!(sync.book().is_some(), sync.last_id().is_some());
    if let (Some(book), Some(id)) = (sync.book(), sync.last_id()) {
        let at = history.diffs.iter().position(|diff| diff.last_id == id).expect("an id of the venue");
        assert_eq!(book, &history.books[at]);
    }
}

proptest! {
    #[test]
    fn any_snapshot_leads_to_the_last_book(rule in rules(), messages in messages(), at: prop::sample::Index, asked: prop::sample::Index) {
        let history = history(rule, &messages);
        let (taken, asked) = (at.index(history.diffs.len()), asked.index(history.diffs.len()));
        let mut sync = DepthSync::new(rule, 1_000).unwrap();
        let (bids, asks) = snapshot(&history.books[taken]);
        for (index, diff) in history.diffs.iter().enumerate() {
            let outcome = sync.on_diff(diff).unwrap();
            prop_assert_eq!(outcome == DiffOutcome::Buffered, index <= asked);
            if index == asked {
                let outcome = sync.on_snapshot(history.diffs[taken].last_id, &bids, &asks).unwrap();
                prop_assert_eq!(outcome, SnapshotOutcome::Synced);
            }
            check_up_to(&sync, &history, taken);
        }
        prop_assert_eq!(sync.book(), history.books.last());
        prop_assert_eq!((sync.counts().gaps, sync.counts().snapshots), (0, 1));
    }

    #[test]
    fn a_lost_diff_makes_the_book_unreadable_until_a_snapshot(rule in rules(), messages in messages(), lost: prop::sample::Index) {
        let history = history(rule, &messages);
        let count = history.diffs.len();
        let lost = 1 + lost.index(count - 1);
        let mut sync = started(rule, &history);
        for (index, diff) in history.diffs.iter().enumerate().skip(1).filter(|&(index, _)| index != lost) {
            sync.on_diff(diff).unwrap();
            prop_assert_eq!(sync.book().is_none(), index > lost);
            check(&sync, &history);
        }
        prop_assert_eq!(sync.counts().gaps, u64::from(lost + 1 < count));
        // A snapshot of before the loss doesn't help; one of after it does.
        let (bids, asks) = snapshot(&history.books[lost - 1]);
        if lost + 1 < count {
            let outcome = sync.on_snapshot(history.diffs[lost - 1].last_id, &bids, &asks).unwrap();
            prop_assert_eq!((outcome, sync.book()), (SnapshotOutcome::TooOld, None));
        }
        let (bids, asks) = snapshot(&history.books[lost]);
        prop_assert_eq!(sync.on_snapshot(history.diffs[lost].last_id, &bids, &asks).unwrap(), SnapshotOutcome::Synced);
        prop_assert_eq!(sync.book(), history.books.last());
    }

    #[test]
    fn doubled_diffs_change_nothing(rule in rules(), messages in messages(), doubled in prop::collection::vec(any::<bool>(), 40)) {
        let history = history(rule, &messages);
        let mut sync = started(rule, &history);
        for (diff, doubled) in history.diffs.iter().zip(&doubled).skip(1) {
            prop_assert_eq!(sync.on_diff(diff).unwrap(), DiffOutcome::Applied);
            if *doubled {
                prop_assert_eq!(sync.on_diff(diff).unwrap(), DiffOutcome::Stale);
            }
            check(&sync, &history);
        }
        prop_assert_eq!((sync.book(), sync.counts().gaps), (history.books.last(), 0));
    }

    #[test]
    fn what_can_be_read_is_right_whatever_arrives(
        rule in rules(), messages in messages(), limit in 1usize..6,
        arrivals in prop::collection::vec((any::<prop::sample::Index>(), 0u8..8), 1..120),
    ) {
        let history = history(rule, &messages);
        let mut sync = DepthSync::new(rule, limit).unwrap();
        for (index, kind) in arrivals {
            let index = index.index(history.diffs.len());
            match kind {
                0 => {
                    let (bids, asks) = snapshot(&history.books[index]);
                    sync.on_snapshot(history.diffs[index].last_id, &bids, &asks).unwrap();
                }
                1 => sync.invalidate(),
                // Mostly in runs, so that chains happen.
                _ => for diff in history.diffs.iter().skip(index).take(usize::from(kind)) {
                    sync.on_diff(diff).unwrap();
                    check(&sync, &history);
                }
            }
            prop_assert!(sync.buffered() <= limit);
            check(&sync, &history);
        }
    }
}

/// Diffs between a later snapshot and itself are dropped, so the book is ahead of the stream for a while.
fn check_up_to(sync: &DepthSync, history: &History, taken: usize) {
    if sync.book().is_some() {
        assert!(sync.last_id().unwrap() >= history.diffs[taken].last_id);
    }
    check(sync, history);
}

fn started(rule: DepthRule, history: &History) -> DepthSync {
    let mut sync = DepthSync::new(rule, 1_000).unwrap();
    let (bids, asks) = snapshot(&history.books[0]);
    assert_eq!(sync.on_snapshot(history.diffs[0].last_id, &bids, &asks), Ok(SnapshotOutcome::Synced));
    sync
}

#[test]
fn two_diffs_out_of_order_are_a_gap_and_a_full_buffer_is_counted() {
    let messages: Vec<_> = (1..7).map(|price| (vec![(true, price, 1)], 0)).collect();
    let history = history(DepthRule::Spot, &messages);
    let mut sync = started(DepthRule::Spot, &history);
    let outcomes: Vec<_> = [2, 1, 3].map(|index: usize| sync.on_diff(&history.diffs[index]).unwrap()).into();
    assert_eq!(outcomes, [DiffOutcome::Gap, DiffOutcome::Stale, DiffOutcome::Buffered]);
    assert_eq!((sync.book(), sync.buffered(), sync.counts().gaps), (None, 2, 1));
    let mut small = DepthSync::new(DepthRule::Spot, 2).unwrap();
    for diff in &history.diffs {
        small.on_diff(diff).unwrap();
    }
    assert_eq!((small.buffered(), small.counts().overflowed), (2, 4));
}

#[test]
fn a_newer_snapshot_replaces_the_book_and_an_older_one_does_not() {
    let messages: Vec<_> = (1..5).map(|price| (vec![(false, price, price)], 0)).collect();
    let history = history(DepthRule::Futures, &messages);
    let mut sync = started(DepthRule::Futures, &history);
    let (bids, asks) = snapshot(&history.books[2]);
    assert_eq!(sync.on_snapshot(history.diffs[2].last_id, &bids, &asks), Ok(SnapshotOutcome::Synced));
    assert_eq!(sync.on_snapshot(history.diffs[0].last_id, &bids, &asks), Ok(SnapshotOutcome::Stale));
    assert_eq!(sync.on_diff(&history.diffs[1]), Ok(DiffOutcome::Stale));
    assert_eq!(sync.on_diff(&history.diffs[3]), Ok(DiffOutcome::Applied));
    assert_eq!(sync.book(), history.books.last());
}

#[test]
fn messages_that_are_none_change_nothing() {
    assert_eq!(DepthSync::new(DepthRule::Spot, 0), Err(DepthSyncError::NoBuffer));
    let mut sync = DepthSync::new(DepthRule::Spot, 4).unwrap();
    sync.on_snapshot(10, &vec![(5, 1)], &vec![(6, 1)]).unwrap();
    let before = sync.clone();
    let backwards = DepthDiff { first_id: 12, last_id: 11, ..DepthDiff::default() };
    assert_eq!(sync.on_diff(&backwards), Err(DepthSyncError::BadIds { first_id: 12, last_id: 11 }));
    let negative = DepthDiff { first_id: 11, last_id: 11, bids: vec![(4, 1)], asks: vec![(7, -1)], previous_id: 0 };
    let error = DepthSyncError::BadLevel { last_id: 11, error: BookError::BadQuantity(-1) };
    assert_eq!(sync.on_diff(&negative), Err(error));
    assert_eq!(
        sync.on_snapshot(20, &vec![(0, 1)], &vec![]),
        Err(DepthSyncError::BadLevel { last_id: 20, error: BookError::BadPrice(0) })
    );
    assert_eq!(sync, before);
}
