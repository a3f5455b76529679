//! Keeping a book in step with Binance's depth stream, by the venue's rules, and unreadable whenever it is not.
//!
//! Diffs are buffered until a snapshot comes. Those that the snapshot contains are dropped, the next one must reach over
//! it, and from there on each must follow the one before. For spot a diff follows when its first id is the
//! local id plus one; for futures, whose ids are shared by all symbols, when its `pu` is the last diff's `u`. What the
//! venue asks of the first diff after a snapshot, `U <= lastUpdateId <= u`, leaves out the case that the snapshot
//! lies in the hole between two diffs; `pu <= lastUpdateId` says the same and includes it.
//! A diff that does not follow means that one was lost: the book can't be read again before a new snapshot.
//! Quantities are absolute, so a diff that the book already contains changes nothing and is dropped.
//!
//! A snapshot ends at some depth. Levels beyond it are unknown until they change; read no deeper than what was asked for.

use super::{check_level, BookError, Levels, OrderBook};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// Which of the venue's two rules the stream follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DepthRule {
    /// Ids count one symbol's changes without holes: `U` follows `u`.
    Spot,
    /// Ids are shared by symbols: `pu` names the diff before.
    Futures,
}

/// One `depthUpdate`, in ticks and lots.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepthDiff {
    /// `U`: id of the first change in it.
    pub first_id: u64,
    /// `u`: id of the last change in it.
    pub last_id: u64,
    /// `pu`: `u` of the diff before; ignored for spot.
    pub previous_id: u64,
    /// New quantities of bids as (price, quantity); 0 removes a level.
    pub bids: Levels,
    /// New quantities of asks.
    pub asks: Levels,
}

/// What became of a diff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiffOutcome {
    /// It is in the book.
    Applied,
    /// It waits for a snapshot.
    Buffered,
    /// The book, or the buffer, contained it already.
    Stale,
    /// One before it was lost: the book is unreadable until a new snapshot, and this diff waits for it.
    Gap,
}

/// What became of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotOutcome {
    /// The book is the snapshot and the diffs after it, and can be read.
    Synced,
    /// It ends before the buffered diffs begin, or breaks off inside them: ask for another one.
    TooOld,
    /// The book is newer; nothing has changed.
    Stale,
}

impl DiffOutcome {
    /// The name at the Python boundary.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Buffered => "buffered",
            Self::Stale => "stale",
            Self::Gap => "gap",
        }
    }
}

impl SnapshotOutcome {
    /// The name at the Python boundary.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Synced => "synced",
            Self::TooOld => "too_old",
            Self::Stale => "stale",
        }
    }
}

/// A message that is none; nothing has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DepthSyncError {
    /// A level fits no book.
    #[error("depth message ending at {last_id}: {error}")]
    BadLevel {
        /// Last id of the message.
        last_id: u64,
        /// What is wrong with the level.
        error: BookError,
    },
    /// The ids run backwards.
    #[error("depth diff: first id {first_id} is after last id {last_id}; check the parser")]
    BadIds {
        /// Its first id.
        first_id: u64,
        /// Its last id.
        last_id: u64,
    },
    /// A buffer of no diffs could never sync.
    #[error("buffer_limit is 0; it must be at least 1")]
    NoBuffer,
}

/// What has happened to the stream so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncCounts {
    /// Diffs that went into the book.
    pub applied: u64,
    /// Diffs dropped because they were contained already.
    pub stale: u64,
    /// Diffs that did not follow the one before, in the book or in the buffer.
    pub gaps: u64,
    /// Snapshots that the book began with.
    pub snapshots: u64,
    /// Snapshots that did not reach the diffs.
    pub too_old: u64,
    /// Buffered diffs dropped because the buffer was full.
    pub overflowed: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum State {
    /// Diffs are buffered.
    Waiting,
    /// The book is a snapshot that no diff has reached over yet.
    Fresh,
    /// The book follows the diffs.
    Chained,
}

/// The book of one symbol, kept in step with its depth stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DepthSync {
    rule: DepthRule,
    state: State,
    book: OrderBook,
    last_id: u64,
    buffer: VecDeque<DepthDiff>,
    buffer_limit: usize,
    counts: SyncCounts,
}

impl DepthSync {
    /// A stream that has seen nothing; it buffers at most `buffer_limit` diffs and drops the oldest beyond.
    ///
    /// # Errors
    /// [`DepthSyncError::NoBuffer`].
    pub fn new(rule: DepthRule, buffer_limit: usize) -> Result<Self, DepthSyncError> {
        if buffer_limit == 0 {
            return Err(DepthSyncError::NoBuffer);
        }
        Ok(Self {
            rule,
            state: State::Waiting,
            book: OrderBook::new(),
            last_id: 0,
            buffer: VecDeque::new(),
            buffer_limit,
            counts: SyncCounts::default(),
        })
    }

    /// Takes the next message of the stream.
    ///
    /// # Errors
    /// [`DepthSyncError`], with nothing changed.
    pub fn on_diff(&mut self, diff: &DepthDiff) -> Result<DiffOutcome, DepthSyncError> {
        if diff.first_id > diff.last_id {
            return Err(DepthSyncError::BadIds { first_id: diff.first_id, last_id: diff.last_id });
        }
        check_levels(diff.last_id, &diff.bids, &diff.asks)?;
        if self.state == State::Waiting {
            return Ok(self.buffer(diff));
        }
        let outcome = self.take(diff);
        if outcome == DiffOutcome::Gap {
            self.lose();
            self.buffer.push_back(diff.clone());
        }
        Ok(outcome)
    }

    /// Takes an answer of the depth endpoint, at `last_id` (`lastUpdateId`).
    ///
    /// # Errors
    /// [`DepthSyncError::BadLevel`], with nothing changed.
    pub fn on_snapshot(
        &mut self,
        last_id: u64,
        bids: &Levels,
        asks: &Levels,
    ) -> Result<SnapshotOutcome, DepthSyncError> {
        check_levels(last_id, bids, asks)?;
        if self.state != State::Waiting && last_id <= self.last_id {
            return Ok(SnapshotOutcome::Stale);
        }
        let reaches = |diff: &DepthDiff| last_id >= diff.last_id || self.bridges(last_id, diff);
        if !self.buffer.front().is_none_or(reaches) {
            self.counts.too_old += 1;
            return Ok(SnapshotOutcome::TooOld);
        }
        self.book = OrderBook::from((bids.clone(), asks.clone()));
        (self.last_id, self.state) = (last_id, State::Fresh);
        self.counts.snapshots += 1;
        for diff in std::mem::take(&mut self.buffer) {
            // The buffer is a chain, and the snapshot reaches its start, so every diff follows or is contained.
            self.take(&diff);
        }
        Ok(SnapshotOutcome::Synced)
    }

    /// Forgets the book, because the connection was lost or its silence is not trusted; a snapshot brings it back.
    pub fn invalidate(&mut self) {
        self.lose();
    }

    /// The book, while it can be relied upon.
    #[must_use]
    pub fn book(&self) -> Option<&OrderBook> {
        (self.state != State::Waiting).then_some(&self.book)
    }

    /// Id of the last change in the book; `None` while it can't be read.
    #[must_use]
    pub fn last_id(&self) -> Option<u64> {
        (self.state != State::Waiting).then_some(self.last_id)
    }

    /// Diffs waiting for a snapshot.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.buffer.len()
    }

    /// What has happened so far.
    #[must_use]
    pub const fn counts(&self) -> &SyncCounts {
        &self.counts
    }

    /// Whether the first diff after a snapshot at `last_id` may be `diff`.
    const fn bridges(&self, last_id: u64, diff: &DepthDiff) -> bool {
        match self.rule {
            DepthRule::Spot => diff.first_id <= last_id.saturating_add(1),
            // A diff holds all changes after `pu`; that it begins at or before the snapshot is a special case.
            DepthRule::Futures => diff.previous_id <= last_id,
        }
    }

    /// Whether `diff` comes right after the diff that ends at `last_id`.
    const fn follows(&self, last_id: u64, diff: &DepthDiff) -> bool {
        match self.rule {
            DepthRule::Spot => diff.first_id <= last_id.saturating_add(1),
            DepthRule::Futures => diff.previous_id == last_id,
        }
    }

    fn take(&mut self, diff: &DepthDiff) -> DiffOutcome {
        let contained = match (self.state, self.rule) {
            // The rule of futures drops what ends before the snapshot; what ends with it begins the chain.
            (State::Fresh, DepthRule::Futures) => diff.last_id < self.last_id,
            _ => diff.last_id <= self.last_id,
        };
        if contained {
            self.counts.stale += 1;
            return DiffOutcome::Stale;
        }
        let fits = match self.state {
            State::Chained => self.follows(self.last_id, diff),
            State::Fresh | State::Waiting => self.bridges(self.last_id, diff),
        };
        if !fits {
            self.counts.gaps += 1;
            return DiffOutcome::Gap;
        }
        for &(price, quantity) in &diff.bids {
            self.book.bids.set(price, quantity);
        }
        for &(price, quantity) in &diff.asks {
            self.book.asks.set(-price, quantity);
        }
        (self.last_id, self.state) = (diff.last_id, State::Chained);
        self.counts.applied += 1;
        DiffOutcome::Applied
    }

    fn buffer(&mut self, diff: &DepthDiff) -> DiffOutcome {
        if let Some(newest) = self.buffer.back() {
            if diff.last_id <= newest.last_id {
                self.counts.stale += 1;
                return DiffOutcome::Stale;
            }
            if !self.follows(newest.last_id, diff) {
                // What is before the hole can no longer lead to what is after it.
                self.counts.gaps += 1;
                self.buffer.clear();
            }
        }
        if self.buffer.len() == self.buffer_limit {
            self.counts.overflowed += 1;
            self.buffer.pop_front();
        }
        self.buffer.push_back(diff.clone());
        DiffOutcome::Buffered
    }

    fn lose(&mut self) {
        self.book.clear();
        self.buffer.clear();
        (self.state, self.last_id) = (State::Waiting, 0);
    }
}

fn check_levels(last_id: u64, bids: &Levels, asks: &Levels) -> Result<(), DepthSyncError> {
    let all = bids.iter().map(|level| (1, level)).chain(asks.iter().map(|level| (-1, level)));
    for (side, &(price, quantity)) in all {
        check_level(side, price, quantity).map_err(|error| DepthSyncError::BadLevel { last_id, error })?;
    }
    Ok(())
}
