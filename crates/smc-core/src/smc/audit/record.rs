//! One run over all bars, kept so that any prefix can be held against it.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::super::event::Event;
use super::super::zone::{Zone, ZoneKind};
use super::{LiveZones, Page, Witness};
use crate::market::Timeframe;

/// The live zones of one kind: their number, and a digest of all that is known of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ZoneSet {
    pub zones: u64,
    pub digest: u64,
}

/// A set for each kind, in the order of [`ZoneKind::ALL`].
pub(super) type ZoneSets = Vec<ZoneSet>;

/// Sorts zones by kind and takes their digests; SipHash with fixed keys, 64 bits a kind.
pub(super) fn zone_sets(zones: &[(Timeframe, Zone)]) -> ZoneSets {
    let mut hashers = vec![(0, DefaultHasher::new()); ZoneKind::ALL.len()];
    for entry in zones {
        let (number, hasher) = &mut hashers[entry.1.kind as usize];
        *number += 1;
        entry.hash(hasher);
    }
    hashers.into_iter().map(|(zones, hasher)| ZoneSet { zones, digest: hasher.finish() }).collect()
}

/// Everything a run read, bar by bar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Record {
    events: Vec<Event>,
    /// The bits of the values, row after row.
    values: Vec<u64>,
    columns: usize,
    /// For each bar, how many events and rows were read up to it, itself included.
    ends: Vec<(usize, usize)>,
    /// Live zones by prefix length, ascending.
    zones: Vec<(usize, ZoneSets)>,
}

impl Record {
    pub const fn columns(&self) -> usize {
        self.columns
    }

    /// How many events and rows the first `bars` bars have.
    pub fn read_by(&self, bars: usize) -> (usize, usize) {
        bars.checked_sub(1).map_or((0, 0), |last| self.ends[last])
    }

    pub fn events(&self, from: usize, to: usize) -> &[Event] {
        &self.events[from..to]
    }

    /// The bits of a row.
    pub fn row(&self, row: usize) -> &[u64] {
        &self.values[row * self.columns..][..self.columns]
    }

    /// Live zones at the end of a prefix of one of the lengths that were asked for.
    pub fn zones(&self, length: usize) -> Option<&ZoneSets> {
        let at = self.zones.binary_search_by_key(&length, |(known, _)| *known).ok()?;
        Some(&self.zones[at].1)
    }
}

/// Makes the record.
pub(super) struct Recorder {
    record: Record,
    bars: usize,
    /// Lengths whose zones are still to be taken, descending.
    wanted: Vec<usize>,
    /// After the last page.
    live: ZoneSets,
}

impl Recorder {
    pub fn new(bars: usize, columns: usize, lengths: &[usize]) -> Self {
        let mut wanted = lengths.to_vec();
        wanted.sort_unstable_by(|a, b| b.cmp(a));
        wanted.dedup();
        let record = Record { columns, ends: Vec::with_capacity(bars), ..Record::default() };
        Self { record, bars, wanted, live: zone_sets(&[]) }
    }

    /// Closes the bars before `bar`: what was read last is all there was.
    fn close_before(&mut self, bar: usize) {
        let read = (self.record.events.len(), self.record.values.len() / self.record.columns.max(1));
        self.record.ends.resize(bar, read);
        while let Some(length) = self.wanted.pop_if(|length| *length <= bar) {
            self.record.zones.push((length, self.live.clone()));
        }
    }

    pub fn finish(self) -> Record {
        self.record
    }
}

impl Witness for Recorder {
    fn page(&mut self, page: Page<'_>, zones: LiveZones<'_>) {
        self.close_before(page.bar);
        self.record.events.extend_from_slice(page.events);
        self.record.values.extend(page.values.iter().map(|value| value.to_bits()));
        if !self.wanted.is_empty() {
            self.live = zone_sets(&zones());
        }
    }

    fn end(&mut self, _zones: LiveZones<'_>) {
        self.close_before(self.bars);
    }
}
