//! Recorded frames, read into ticks and lots.

use serde_json::Value;
use smc_core::market::{DepthDiff, Instrument, Levels};
use std::io::Read;
use std::path::PathBuf;

/// What the tests read of a recorded stream.
pub enum Frame {
    Diff(String, DepthDiff),
    Snapshot {
        last_id: u64,
        bids: Levels,
        asks: Levels,
    },
    /// Best bid and ask after the change `id`.
    Ticker {
        symbol: String,
        id: u64,
        bid: (i64, i64),
        ask: (i64, i64),
    },
}

/// The unpacked text of a recorded file under the shared data; `None`, said so, where it is absent.
pub fn recorded(name: &str) -> Option<String> {
    let shared = std::env::var_os("SMC_SHARED_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"), PathBuf::from);
    let path = shared.join(name);
    if !path.exists() {
        let required = std::env::var("SMC_REQUIRE_SHARED_DATA").as_deref() == Ok("1");
        assert!(!required, "{name} is absent, and SMC_REQUIRE_SHARED_DATA=1 forbids to skip");
        eprintln!("skipped: {name} is not under SMC_SHARED_DATA or ../shared/data");
        return None;
    }
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    Some(text)
}

pub fn levels(instrument: &Instrument, value: &Value) -> Levels {
    let step = |level: &Value| {
        let text = |index: usize| level[index].as_str().unwrap().to_owned();
        (instrument.tick.steps_of(&text(0)).unwrap(), instrument.lot.steps_of(&text(1)).unwrap())
    };
    value.as_array().unwrap().iter().map(step).collect()
}

/// One JSON message of Binance; `None` for kinds that say nothing of the book.
pub fn frame(instrument: &Instrument, message: &Value) -> Option<Frame> {
    let data = message.get("data").unwrap_or(message);
    if let Some(last_id) = data["lastUpdateId"].as_u64() {
        let (bids, asks) = (levels(instrument, &data["bids"]), levels(instrument, &data["asks"]));
        return Some(Frame::Snapshot { last_id, bids, asks });
    }
    let symbol = data["s"].as_str().unwrap_or_default().to_owned();
    match (data["e"].as_str(), message["stream"].as_str()) {
        (Some("depthUpdate"), _) => {
            let diff = DepthDiff {
                first_id: data["U"].as_u64().unwrap(),
                last_id: data["u"].as_u64().unwrap(),
                previous_id: data["pu"].as_u64().unwrap_or(0),
                bids: levels(instrument, &data["b"]),
                asks: levels(instrument, &data["a"]),
            };
            Some(Frame::Diff(symbol, diff))
        }
        (_, Some(stream)) if stream.ends_with("@bookTicker") => {
            let best = |price: &str, quantity: &str| {
                let text = |key: &str| data[key].as_str().unwrap();
                let ticks = instrument.tick.steps_of(text(price)).unwrap();
                (ticks, instrument.lot.steps_of(text(quantity)).unwrap())
            };
            let id = data["u"].as_u64().unwrap();
            Some(Frame::Ticker { symbol, id, bid: best("b", "B"), ask: best("a", "A") })
        }
        _ => None,
    }
}

/// Frames of a raw recording of one symbol, `<local time> <JSON>` a line.
pub fn frames(instrument: &Instrument, name: &str) -> Option<Vec<Frame>> {
    let text = recorded(name)?;
    let parse = |line: &str| frame(instrument, &serde_json::from_str(line.split_once(' ').unwrap().1).unwrap());
    Some(text.lines().filter_map(parse).collect())
}
