//! The proof against repainting: a reader is given prefix after prefix of the bars, each as if there were no more,
//! and all that it reads there is held against one run over the whole.
//!
//! A reading is an event, or a value of a column at a close. Against the whole run, a reading of a prefix is
//! - **rewritten**: the whole run has another one in its place;
//! - **vanished**: the whole run has nothing in its place;
//! - **backdated**: the other way round, the whole run has one on a bar of the prefix which the prefix did not have,
//!   so that it claims to have been known before it was. A reader that looks ahead shows itself here.
//!
//! Beside the readings the live zones at the end of each prefix are compared, kind by kind, with those that the whole
//! run had at that bar. Readings are compared as they come, so a prefix keeps nothing; each is read by a fresh reader.
//! Where a reader is causal nothing differs; any [`Reader`] can be put to it, also one that is known to look ahead.

mod analyzer_reader;
mod comparison;
mod divergence_reader;
mod legacy_reader;
mod record;
mod tally;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{channel, Sender};

pub use analyzer_reader::{audit_restored, AnalyzerPlan, AnalyzerReader, RestoredAudit};
pub use divergence_reader::DivergenceReader;
pub use legacy_reader::LegacyReader;
pub use tally::{Counts, PrefixAudit, ZoneCounts};

use super::event::Event;
use super::zone::Zone;
use crate::market::Timeframe;
use comparison::Comparison;
use record::{Record, Recorder};
use tally::Tally;

/// What a reader shows at a bar.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// Position of the bar on which it was read.
    pub bar: usize,
    /// Events, in order.
    pub events: &'a [Event],
    /// One value for each of the reader's columns, NaN where there is none; empty where no row stands on this bar.
    pub values: &'a [f64],
}

/// The zones that live after what was read last, each with its timeframe.
pub type LiveZones<'a> = &'a dyn Fn() -> Vec<(Timeframe, Zone)>;

/// Takes what a reader shows.
pub trait Witness {
    /// One page; its bar is never before that of the page before.
    fn page(&mut self, page: Page<'_>, zones: LiveZones<'_>);
    /// After the last bar, once.
    fn end(&mut self, zones: LiveZones<'_>);
}

/// Something that reads bars, causal or not.
pub trait Reader: Sync {
    /// What it reads, one after another: a bar, or the bars of two instruments at one open time.
    type Item: Sync;
    /// Why it cannot read.
    type Error: Send;

    /// Names of its columns.
    fn columns(&self) -> Vec<String>;

    /// Reads `bars` afresh, as if there were no more, and shows everything that it finds, in the order of the bars.
    ///
    /// # Errors
    /// Whatever keeps it from reading.
    fn read<W: Witness>(&self, bars: &[Self::Item], witness: &mut W) -> Result<(), Self::Error>;
}

/// Why an audit has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AuditError<E> {
    /// The reader failed.
    #[error(transparent)]
    Reader(E),
    /// The caller asked to stop.
    #[error("the audit was stopped before its end")]
    Stopped,
}

/// Hears how many bars were read of how many; false stops the audit.
pub type Watch<'a> = &'a mut dyn FnMut(u64, u64) -> bool;

/// Reads `bars[..n]` for each `n` of `lengths` (longer ones are cut) and compares it with one run over `bars`.
///
/// The work is shared among `threads`; the result does not depend on their number.
///
/// # Errors
/// [`AuditError`] where the reader fails or `watch` says so.
pub fn audit_prefixes<R: Reader>(
    reader: &R,
    bars: &[R::Item],
    lengths: &[usize],
    threads: NonZeroUsize,
    watch: Watch<'_>,
) -> Result<PrefixAudit, AuditError<R::Error>> {
    let mut lengths: Vec<usize> = lengths.iter().map(|&length| length.min(bars.len())).collect();
    // The longest first: threads then end at about the same time.
    lengths.sort_unstable_by(|a, b| b.cmp(a));
    let record = record(reader, bars, &lengths).map_err(AuditError::Reader)?;
    let work = Work {
        reader,
        bars,
        record: &record,
        lengths: &lengths,
        next: AtomicUsize::new(0),
        stop: AtomicBool::new(false),
    };
    let total = lengths.iter().map(|&length| length as u64).sum();
    let mut tally = Tally::new(record.columns());
    let mut stopped = false;
    let failure = std::thread::scope(|scope| {
        let (sender, receiver) = channel();
        let workers: Vec<_> = (0..threads.get())
            .map(|_| {
                let (work, sender) = (&work, sender.clone());
                scope.spawn(move || work.run(&sender))
            })
            .collect();
        drop(sender);
        let mut done = 0;
        for read in receiver {
            done += read;
            if !stopped && !watch(done, total) {
                stopped = true;
                work.stop.store(true, Ordering::Relaxed);
            }
        }
        let mut failure = None;
        for worker in workers {
            match worker.join() {
                Ok(Ok(part)) => tally.add(part),
                Ok(Err(error)) => failure = Some(error),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        failure
    });
    match failure {
        Some(error) => Err(AuditError::Reader(error)),
        None if stopped => Err(AuditError::Stopped),
        None => Ok(tally.audit(reader.columns())),
    }
}

/// Whether two readers read the same from all of `bars`: readings, and live zones at each of `lengths`.
///
/// # Errors
/// What keeps one of them from reading.
pub fn read_the_same<R: Reader>(one: &R, other: &R, bars: &[R::Item], lengths: &[usize]) -> Result<bool, R::Error> {
    Ok(record(one, bars, lengths)? == record(other, bars, lengths)?)
}

fn record<R: Reader>(reader: &R, bars: &[R::Item], lengths: &[usize]) -> Result<Record, R::Error> {
    let mut recorder = Recorder::new(bars.len(), reader.columns().len(), lengths);
    reader.read(bars, &mut recorder)?;
    Ok(recorder.finish())
}

/// What the threads share.
struct Work<'a, R: Reader> {
    reader: &'a R,
    bars: &'a [R::Item],
    record: &'a Record,
    lengths: &'a [usize],
    next: AtomicUsize,
    stop: AtomicBool,
}

impl<R: Reader> Work<'_, R> {
    /// Takes prefixes until there are none left; `done` hears how many bars each had.
    fn run(&self, done: &Sender<u64>) -> Result<Tally, R::Error> {
        let mut tally = Tally::new(self.record.columns());
        while !self.stop.load(Ordering::Relaxed) {
            let Some(&length) = self.lengths.get(self.next.fetch_add(1, Ordering::Relaxed)) else { break };
            let mut comparison = Comparison::new(self.record, 0, length, &mut tally);
            if let Err(error) = self.reader.read(&self.bars[..length], &mut comparison) {
                self.stop.store(true, Ordering::Relaxed);
                return Err(error);
            }
            tally.prefixes += 1;
            tally.bars_read += length as u64;
            // Nobody listens any more only where the audit itself has ended.
            let _ = done.send(length as u64);
        }
        Ok(tally)
    }
}
