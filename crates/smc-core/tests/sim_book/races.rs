//! A cancel and a fill on their way at once: the one that is at the venue first stands.

use crate::support::{limit, seen, venue, Scene};
use smc_core::sim::{OrderStatus, QueueModel};

#[test]
fn a_fill_before_the_cancel_arrives_stands() {
    for (trade_at, filled) in [(139, true), (140, false), (141, false)] {
        let mut scene = Scene::new(venue(QueueModel::RiskAverse, 100));
        scene.send(limit("a", 1, 5, 101), 20);
        scene.venue.cancel("a", 40);
        scene.trade(trade_at, -1, 101, 5);
        scene.depth(200, &[], &[]);
        let expected = if filled { seen("a", "filled", 5, 101, "") } else { seen("a", "canceled", 5, 0, "requested") };
        assert_eq!(scene.happened(), [expected], "trade at {trade_at}");
    }
}

#[test]
fn a_trade_before_the_order_arrives_is_not_for_it() {
    let mut scene = Scene::new(venue(QueueModel::RiskAverse, 100));
    scene.send(limit("a", 1, 5, 101), 20);
    scene.trade(119, -1, 101, 5);
    assert_eq!((scene.happened(), scene.venue.order_status("a")), (vec![], Some(OrderStatus::Open)));
    scene.trade(120, -1, 101, 2);
    assert_eq!(scene.happened(), [seen("a", "filled", 2, 101, "")]);
}

#[test]
fn an_order_that_expires_on_the_way_never_works() {
    let mut scene = Scene::new(venue(QueueModel::RiskAverse, 100));
    let mut request = limit("a", 1, 5, 102);
    request.expires_at = 110;
    scene.send(request, 20);
    scene.depth(300, &[], &[]);
    assert_eq!(scene.happened(), [seen("a", "expired", 5, 0, "")]);
    let mut request = limit("b", 1, 5, 100);
    request.expires_at = 500;
    scene.send(request, 300);
    scene.trade(499, -1, 99, 2);
    scene.trade(500, -1, 99, 9);
    assert_eq!(scene.happened(), [seen("b", "filled", 2, 100, ""), seen("b", "expired", 5, 0, "")]);
}
