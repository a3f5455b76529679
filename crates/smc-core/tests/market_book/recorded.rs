//! Recorded streams of real venues, against everything else that the venue said of its book.

use crate::support::{frame, frames, levels, recorded, Frame};
use serde_json::Value;
use smc_core::market::{
    okx_checksum, DepthDiff, DepthRule, DepthSync, DiffOutcome, Instrument, Levels, OrderBook, SnapshotOutcome,
};
use std::collections::HashMap;

/// Levels that the diffs before a snapshot gave as the snapshot gives them. The diff that reaches over it is partly in
/// it, so the levels that it changes say nothing.
fn agrees(diffs: &[&DepthDiff], last_id: u64, bids: &Levels, asks: &Levels) -> usize {
    let snapshot: OrderBook = (bids.clone(), asks.clone()).into();
    let over = diffs.partition_point(|diff| diff.last_id <= last_id);
    let sided = |diff: &DepthDiff| {
        let side = |side: i8, levels: &Levels| levels.iter().map(move |&(price, lots)| ((side, price), lots)).collect();
        let sides: [Vec<_>; 2] = [side(1, &diff.bids), side(-1, &diff.asks)];
        sides.concat()
    };
    let mut said: HashMap<(i8, i64), i64> = diffs[..over].iter().flat_map(|diff| sided(diff)).collect();
    for (level, _) in diffs[over..].iter().take(1).flat_map(|diff| sided(diff)) {
        said.remove(&level);
    }
    let (lowest, highest) = (bids[bids.len() - 1].0, asks[asks.len() - 1].0);
    said.retain(|&(side, price), _| if side > 0 { price >= lowest } else { price <= highest });
    for (&(side, price), &lots) in &said {
        assert_eq!(snapshot.quantity_at(side, price), lots, "side {side} price {price}");
    }
    said.len()
}

/// Replays a recording; the best levels equal every ticker of the same id. Returns how many there were, and how many
/// levels of the snapshot were given by diffs as well.
fn replay(sync: &mut DepthSync, frames: &[Frame]) -> (usize, usize) {
    let (mut diffs, mut tickers) = (Vec::new(), HashMap::new());
    let (mut equal, mut agreed) = (0, 0);
    for frame in frames {
        match frame {
            Frame::Ticker { id, bid, ask, .. } => _ = tickers.insert(*id, (*bid, *ask)),
            Frame::Diff(_, diff) => diffs.push(diff),
            Frame::Snapshot { .. } => {}
        }
    }
    for frame in frames {
        match frame {
            Frame::Ticker { .. } => continue,
            Frame::Snapshot { last_id, bids, asks } => {
                agreed += agrees(&diffs, *last_id, bids, asks);
                assert_eq!(sync.on_snapshot(*last_id, bids, asks), Ok(SnapshotOutcome::Synced));
            }
            Frame::Diff(_, diff) => {
                assert_ne!(sync.on_diff(diff), Ok(DiffOutcome::Gap));
            }
        }
        let Some((book, id)) = sync.book().zip(sync.last_id()) else { continue };
        assert!(!book.crossed());
        if let Some(&(bid, ask)) = tickers.get(&id) {
            assert_eq!((book.best_bid(), book.best_ask()), (Some(bid), Some(ask)), "at id {id}");
            equal += 1;
        }
    }
    (equal, agreed)
}

#[test]
fn recorded_streams_give_the_best_levels_that_the_venue_gave() {
    let perpetual = Instrument::new("binance", "BTCUSDT", "0.1", "0.001", "0").unwrap();
    let spot = Instrument::new("binance", "ETHUSDT", "0.01", "0.00000001", "0").unwrap();
    let recordings = [
        (&perpetual, DepthRule::Futures, ["usdm_btcusdt_20230404", "usdm_btcusdt_20230405"], 1_000),
        (&perpetual, DepthRule::Futures, ["usdm_btcusdt_20240718", "usdm_btcusdt_20240719"], 400),
        (&spot, DepthRule::Spot, ["spot_ethusdt_20240808", "spot_ethusdt_20240809"], 1_000),
    ];
    for (instrument, rule, names, least) in recordings {
        let mut sync = DepthSync::new(rule, 1_000).unwrap();
        let mut equal = 0;
        for name in names {
            let Some(frames) = frames(instrument, &format!("crypto_lob/hft_raw/{name}.gz")) else { return };
            equal += replay(&mut sync, &frames).0;
        }
        assert!(equal >= least, "{names:?}: {equal} tickers compared");
        assert_eq!((sync.counts().gaps, sync.counts().snapshots), (0, 1), "{names:?}");
    }
}

#[test]
fn a_dropped_recorded_diff_is_noticed_by_the_next() {
    let instrument = Instrument::new("binance", "BTCUSDT", "0.1", "0.001", "0").unwrap();
    let Some(frames) = frames(&instrument, "crypto_lob/hft_raw/usdm_btcusdt_20230404.gz") else { return };
    let mut sync = DepthSync::new(DepthRule::Futures, 10_000).unwrap();
    let mut seen = 0;
    for frame in &frames {
        match frame {
            Frame::Snapshot { last_id, bids, asks } => {
                sync.on_snapshot(*last_id, bids, asks).unwrap();
            }
            Frame::Diff(_, diff) => {
                seen += 1;
                if seen == 2_000 {
                    continue;
                }
                let outcome = sync.on_diff(diff).unwrap();
                assert_eq!(outcome == DiffOutcome::Gap, seen == 2_001);
                assert_eq!(sync.book().is_some(), seen < 2_000);
            }
            Frame::Ticker { .. } => {}
        }
    }
    assert_eq!(sync.counts().gaps, 1);
}

/// Streams of several symbols on one connection, with a snapshot of each taken while they ran.
fn multiplexed(name: &str, rule: DepthRule) -> Option<usize> {
    let instrument = Instrument::new("binance", "ANY", "0.00000001", "0.00000001", "0").unwrap();
    let snapshots = recorded(&format!("fixtures/binance/{name}.http.0.0.gz"))?;
    let stream = recorded(&format!("fixtures/binance/{name}.ws.1.0.gz"))?;
    let answers = snapshots.lines().filter_map(|line| line.split_once(" -> "));
    let mut compared = 0;
    for (url, answer) in answers {
        let symbol = url.split_once("symbol=").unwrap().1.split('&').next().unwrap();
        let (asked_at, body) = answer.split_once(": ").unwrap();
        let snapshot = frame(&instrument, &serde_json::from_str(body).unwrap()).unwrap();
        let at = |line: &str| line.split_once(": ").and_then(|(time, _)| time.parse::<f64>().ok());
        let lines: Vec<&str> = stream.lines().filter(|line| at(line).is_some()).collect();
        let before = lines.partition_point(|line| at(line) <= asked_at.parse().ok());
        let read = |lines: &[&str]| -> Vec<Frame> {
            let message = |line: &&str| -> Value { serde_json::from_str(line.split_once(": ").unwrap().1).unwrap() };
            let ours = |frame: &Frame| match frame {
                Frame::Diff(named, _) | Frame::Ticker { symbol: named, .. } => named == symbol,
                Frame::Snapshot { .. } => false,
            };
            lines.iter().filter_map(|line| frame(&instrument, &message(line))).filter(ours).collect()
        };
        let mut all = read(&lines[..before]);
        all.push(snapshot);
        all.extend(read(&lines[before..]));
        let mut sync = DepthSync::new(rule, 1_000).unwrap();
        let (equal, agreed) = replay(&mut sync, &all);
        assert!(sync.counts().applied > 0 && sync.counts().gaps == 0, "{symbol}: {:?}", sync.counts());
        compared += equal + agreed;
    }
    Some(compared)
}

#[test]
fn snapshots_taken_in_the_middle_of_recorded_streams_agree_with_them() {
    let Some(spot) = multiplexed("cryptofeed_BINANCE", DepthRule::Spot) else { return };
    let Some(futures) = multiplexed("cryptofeed_BINANCE_FUTURES", DepthRule::Futures) else { return };
    assert!(spot >= 30 && futures >= 80, "{spot} and {futures} levels compared");
}

#[test]
fn every_recorded_update_of_okx_has_the_checksum_that_came_with_it() {
    let Some(text) = recorded("fixtures/other_venues/cryptofeed_OKX.ws.1.0.gz") else { return };
    let instrument = Instrument::new("okx", "ANY", "0.00000001", "0.00000001", "0").unwrap();
    let mut books: HashMap<String, OrderBook> = HashMap::new();
    let mut compared = 0;
    for line in text.lines().filter(|line| line.contains("\"checksum\"")) {
        let message: Value = serde_json::from_str(line.split_once(": ").unwrap().1).unwrap();
        let book = books.entry(message["arg"]["instId"].as_str().unwrap().to_owned()).or_default();
        if message["action"] == "snapshot" {
            book.clear();
        }
        let data = &message["data"][0];
        for (side, key) in [(1, "bids"), (-1, "asks")] {
            for (price, quantity) in levels(&instrument, &data[key]) {
                book.apply(side, price, quantity).unwrap();
            }
        }
        assert_eq!(i64::from(okx_checksum(book, &instrument)), data["checksum"].as_i64().unwrap(), "{line}");
        compared += 1;
    }
    assert!(books.len() == 3 && compared > 100, "{compared} checksums of {} books", books.len());
}
