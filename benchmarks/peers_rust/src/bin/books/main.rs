//! Replays one recorded book tape in ours and in hftbacktest, idle and with a maker, and prints JSON.
//!
//! Arguments: a file of rows (message number, kind, exchange time, local time, key, quantity; 64-bit little-endian;
//! kinds 0 depth, 1 snapshot, 2 trade; a key is the price in ticks, negated for asks and for trades whose taker sold),
//! the tick, the lot, and the number of runs. Runs alternate.
//!
//! The maker sends a bid and an ask of one lot at the best prices that it sees every 100 ms, and cancels those of
//! before. What it sends depends on the local book alone, so both are sent the same orders.

mod ours;
mod theirs;

use serde::Serialize;
use smc_core::market::Instrument;
use std::error::Error;

/// Nanoseconds between two looks at the book.
pub const INTERVAL: i64 = 100_000_000;
/// Nanoseconds of an order to the venue, and of an answer back.
pub const LATENCY: i64 = 10_000_000;

/// What one replay came to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Looks at the book, and a sum over the best prices seen at each.
    pub looks: u64,
    pub seen: u64,
    pub orders: u64,
    pub bought: u64,
    pub sold: u64,
}

impl Outcome {
    /// Adds one look at the best prices in ticks.
    pub fn look(&mut self, bid: i64, ask: i64) {
        self.looks += 1;
        for tick in [bid, ask] {
            self.seen = (self.seen ^ tick.cast_unsigned()).wrapping_mul(0x100_0000_01B3);
        }
    }
}

/// One row of the tape.
#[derive(Clone, Copy)]
pub struct Row {
    pub message: i64,
    pub kind: i64,
    pub exchange: i64,
    pub local: i64,
    pub key: i64,
    pub quantity: i64,
}

#[derive(Serialize)]
struct Report {
    messages: usize,
    rows: usize,
    /// Nanoseconds of 64 level updates each, warm.
    updates_ns: Vec<u64>,
    ours_idle_ns: Vec<u64>,
    theirs_idle_ns: Vec<u64>,
    ours_maker_ns: Vec<u64>,
    theirs_maker_ns: Vec<u64>,
    ours: Outcome,
    theirs: Outcome,
}

fn main() -> Result<(), Box<dyn Error>> {
    let [path, tick, lot, runs] = <[String; 4]>::try_from(std::env::args().skip(1).collect::<Vec<_>>())
        .map_err(|given| format!("{} arguments given; say FILE TICK LOT RUNS", given.len()))?;
    let runs: usize = runs.parse()?;
    let instrument = Instrument::new("tape", "BOOK", &tick, &lot, "0")?;
    let rows = read_rows(&std::fs::read(&path)?)?;
    let (tape, rows) = ours::tape(&rows)?;
    let start = tape.happened(0).ok_or("the tape is empty")?.0.exchange_time;
    let market = theirs::Market::new(&rows, tick.parse()?, lot.parse()?);

    let mut report = Report {
        messages: tape.len(),
        rows: tape.row_count(),
        updates_ns: ours::updates(&tape, runs)?,
        ours_idle_ns: vec![],
        theirs_idle_ns: vec![],
        ours_maker_ns: vec![],
        theirs_maker_ns: vec![],
        ours: Outcome::default(),
        theirs: Outcome::default(),
    };
    let tape = std::sync::Arc::new(tape);
    for run in 0..=runs {
        let (ours_idle, _) = ours::replay(&tape, &instrument, start, false)?;
        let (theirs_idle, _) = market.replay(false)?;
        let (ours_maker, ours) = ours::replay(&tape, &instrument, start, true)?;
        let (theirs_maker, theirs) = market.replay(true)?;
        (report.ours, report.theirs) = (ours, theirs);
        if run > 0 {
            report.ours_idle_ns.push(ours_idle);
            report.theirs_idle_ns.push(theirs_idle);
            report.ours_maker_ns.push(ours_maker);
            report.theirs_maker_ns.push(theirs_maker);
        }
    }
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

fn read_rows(bytes: &[u8]) -> Result<Vec<Row>, Box<dyn Error>> {
    let numbers: Vec<i64> =
        bytes.chunks_exact(8).map(|chunk| i64::from_le_bytes(chunk.try_into().unwrap_or_default())).collect();
    let row = |row: &[i64]| Row {
        message: row[0],
        kind: row[1],
        exchange: row[2],
        local: row[3],
        key: row[4],
        quantity: row[5],
    };
    let rows: Vec<Row> = numbers.chunks_exact(6).map(row).collect();
    if rows.is_empty() {
        return Err("the file holds no rows; write six 64-bit numbers for each".into());
    }
    Ok(rows)
}
