//! Brackets whose parts fill in parts.

use crate::support::{limit, order, seen, venue, Scene};
use smc_core::sim::{OrderKind, OrderStatus, QueueModel};

fn bracket() -> Scene {
    let mut scene = Scene::new(venue(QueueModel::RiskAverse, 0));
    scene.send(limit("entry", 1, 10, 101), 20);
    for (id, kind, price) in [("stop", OrderKind::StopMarket, 98), ("target", OrderKind::TakeProfit, 104)] {
        let mut child = order(id, kind, -1, 10, price);
        (child.parent, child.reduce_only) = ("entry".to_owned(), true);
        scene.send(child, 21);
    }
    scene
}

#[test]
fn children_wake_with_the_first_fill_and_share_what_they_close() {
    let mut scene = bracket();
    assert_eq!(scene.venue.order_status("stop"), Some(OrderStatus::Held));
    scene.trade(30, -1, 101, 6);
    assert_eq!(scene.happened(), [seen("entry", "filled", 6, 101, "")]);
    assert_eq!(scene.venue.order_status("stop"), Some(OrderStatus::Open));
    scene.trade(31, 1, 105, 4);
    assert_eq!(scene.happened(), [seen("target", "filled", 4, 104, "")]);
    // Two lots are left to protect, whatever the stop was sent for.
    scene.trade(32, -1, 98, 1);
    let expected = [
        seen("entry", "filled", 1, 101, ""),
        seen("stop", "filled", 3, 100, ""),
        seen("stop", "canceled", 10, 0, "nothing_to_reduce"),
    ];
    let happened = scene.happened();
    assert_eq!(happened[..2], expected[..2]);
    assert_eq!(scene.venue.position(), 0);
}

#[test]
fn children_of_a_parent_that_ends_unfilled_end_with_it() {
    let mut scene = bracket();
    scene.venue.cancel("entry", 30);
    scene.depth(31, &[], &[]);
    let expected = [
        seen("entry", "canceled", 10, 0, "requested"),
        seen("stop", "canceled", 10, 0, "parent_ended"),
        seen("target", "canceled", 10, 0, "parent_ended"),
    ];
    assert_eq!(scene.happened(), expected);
}

#[test]
fn children_of_a_parent_cut_short_go_on_and_a_whole_close_ends_the_other() {
    let mut scene = bracket();
    scene.trade(30, -1, 101, 6);
    scene.venue.cancel("entry", 31);
    scene.depth(32, &[], &[]);
    scene.happened();
    scene.trade(33, 1, 105, 40);
    let happened = scene.happened();
    assert_eq!(happened[0], seen("target", "filled", 6, 104, ""));
    assert_eq!(scene.venue.position(), 0);
    scene.trade(34, -1, 90, 40);
    scene.happened();
    assert_eq!((scene.venue.position(), scene.venue.order_status("entry")), (0, Some(OrderStatus::Canceled)));
}

#[test]
fn a_child_that_fills_whole_cancels_its_sibling() {
    let mut scene = bracket();
    scene.trade(30, -1, 101, 10);
    scene.trade(31, 1, 105, 40);
    let expected = [
        seen("entry", "filled", 10, 101, ""),
        seen("target", "filled", 10, 104, ""),
        seen("stop", "canceled", 10, 0, "oco"),
    ];
    assert_eq!(scene.happened(), expected);
}
