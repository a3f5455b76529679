//! Measures our structure machine beside quantwave-core's, one closed bar at a time, and prints JSON.
//!
//! Arguments: a file of bars (open, high, low, close; 64-bit little-endian ticks), the swing size, and the number of
//! runs. Both read every bar in turn and keep what it gave; runs alternate.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;

use quantwave_core::indicators::market_structure::{MarketStructure, SwingPoint};
use quantwave_core::traits::Next;
use serde::Serialize;
use smc_core::market::{Bar, Timeframe};
use smc_core::smc::structure_reader::StructureReader;
use smc_core::smc::{Event, EventKind, PivotRule, Scope, StructureConfig};

/// Nanoseconds of whole runs, and what they found.
#[derive(Serialize)]
struct Report {
    bars: usize,
    ours_ns: Vec<u64>,
    theirs_ns: Vec<u64>,
    our_pivots: usize,
    our_breaks: usize,
    their_swings: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let [path, size, runs] = <[String; 3]>::try_from(std::env::args().skip(1).collect::<Vec<_>>())
        .map_err(|given| format!("{} arguments given; say FILE SIZE RUNS", given.len()))?;
    let (size, runs): (u32, usize) = (size.parse()?, runs.parse()?);
    let bars = read_bars(&std::fs::read(&path)?)?;
    let timeframe: Timeframe = "15m".parse()?;

    let events = our_events(&bars, timeframe, size);
    let swings = their_swings(&bars, size);
    compare(&bars, &events, &swings, size)?;
    let our_pivots = events.iter().filter(|event| event.kind == EventKind::Pivot).count();
    let our_breaks = events.len() - our_pivots;
    let mut report = Report {
        bars: bars.len(),
        ours_ns: vec![],
        theirs_ns: vec![],
        our_pivots,
        our_breaks,
        their_swings: swings.len(),
    };
    for _ in 0..runs {
        report.ours_ns.push(time_ours(&bars, timeframe, size));
        report.theirs_ns.push(time_theirs(&bars, size));
    }
    println!("{}", serde_json::to_string(&report)?);
    Ok(())
}

/// Bars of 15 minutes, one after the other.
fn read_bars(bytes: &[u8]) -> Result<Vec<Bar>, Box<dyn Error>> {
    let length = 900_000_000_000;
    let numbers: Vec<i64> =
        bytes.chunks_exact(8).map(|chunk| i64::from_le_bytes(chunk.try_into().unwrap_or_default())).collect();
    let bars: Vec<Bar> = (0_i64..)
        .zip(numbers.chunks_exact(4))
        .map(|(index, prices)| Bar {
            open_time: index * length,
            close_time: (index + 1) * length,
            open: prices[0],
            high: prices[1],
            low: prices[2],
            close: prices[3],
            volume: 0,
            taker_buy_volume: 0,
            trades: 0,
        })
        .collect();
    if bars.is_empty() {
        return Err("the file holds no bars; write open, high, low, close as 64-bit numbers".into());
    }
    Ok(bars)
}

fn reader(timeframe: Timeframe, size: u32) -> StructureReader {
    StructureReader::new(timeframe, Scope::Internal, StructureConfig { size, rule: PivotRule::Fractal })
}

fn our_events(bars: &[Bar], timeframe: Timeframe, size: u32) -> Vec<Event> {
    let (mut reader, mut events) = (reader(timeframe, size), Vec::new());
    bars.iter().for_each(|bar| reader.update(bar, &mut events));
    events
}

/// Every swing that the peer ever holds as its last high or low.
fn their_swings(bars: &[Bar], size: u32) -> Vec<SwingPoint> {
    let mut structure = MarketStructure::new(size as usize);
    let mut held: [Option<SwingPoint>; 2] = [None, None];
    let mut swings = Vec::new();
    for bar in bars {
        let state = structure.next((bar.high as f64, bar.low as f64));
        for (held, now) in held.iter_mut().zip([state.last_swing_high, state.last_swing_low]) {
            if *held != now {
                swings.extend(now.clone());
                *held = now;
            }
        }
    }
    swings
}

/// The peer's swings are ours, where no bar before one has the same price (there we take the first, they any).
fn compare(bars: &[Bar], events: &[Event], swings: &[SwingPoint], size: u32) -> Result<(), Box<dyn Error>> {
    let length = bars[0].close_time - bars[0].open_time;
    let pivots: std::collections::HashSet<(usize, bool)> = events
        .iter()
        .filter(|event| event.kind == EventKind::Pivot)
        .map(|event| ((event.formed_at / length) as usize, event.side > 0))
        .collect();
    for swing in swings {
        let extreme = |bar: &Bar| if swing.is_high { bar.high } else { bar.low };
        let before = &bars[swing.bar.saturating_sub(size as usize)..swing.bar];
        let tied = before.iter().any(|bar| extreme(bar) == extreme(&bars[swing.bar]));
        if !tied && !pivots.contains(&(swing.bar, swing.is_high)) {
            return Err(format!("quantwave-core has a swing on bar {} that we have not", swing.bar).into());
        }
    }
    Ok(())
}

fn time_ours(bars: &[Bar], timeframe: Timeframe, size: u32) -> u64 {
    let (mut reader, mut events) = (reader(timeframe, size), Vec::with_capacity(8));
    let began = Instant::now();
    for bar in bars {
        events.clear();
        reader.update(bar, &mut events);
        black_box(&events);
    }
    began.elapsed().as_nanos() as u64
}

fn time_theirs(bars: &[Bar], size: u32) -> u64 {
    let mut structure = MarketStructure::new(size as usize);
    let began = Instant::now();
    for bar in bars {
        black_box(structure.next((bar.high as f64, bar.low as f64)));
    }
    began.elapsed().as_nanos() as u64
}
