//! What an audit counts.

use std::collections::HashSet;

use super::super::event::EventKind;
use super::super::zone::ZoneKind;

/// Readings of one sort over all prefixes; see [`super`] for the words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Readings of prefixes that were compared.
    pub readings: u64,
    /// Of these, how many the whole run has differently.
    pub rewritten: u64,
    /// Of these, how many the whole run does not have.
    pub vanished: u64,
    /// Readings of the whole run that a prefix lacked, though they stand on its bars.
    pub backdated: u64,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.readings += other.readings;
        self.rewritten += other.rewritten;
        self.vanished += other.vanished;
        self.backdated += other.backdated;
    }

    /// Whether every reading stands.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.rewritten + self.vanished + self.backdated == 0
    }
}

/// Live zones of one kind over all prefixes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ZoneCounts {
    /// Prefixes at whose end they were compared.
    pub sets: u64,
    /// Zones in these sets.
    pub zones: u64,
    /// Sets that the whole run had differently at that bar.
    pub differing: u64,
}

/// What an audit compared, and what differed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrefixAudit {
    /// Prefixes read.
    pub prefixes: u64,
    /// Bars read, over all prefixes.
    pub bars_read: u64,
    /// Events, in the order of [`EventKind::ALL`].
    pub events: Vec<(EventKind, Counts)>,
    /// Values, in the order of the reader's columns.
    pub columns: Vec<(String, Counts)>,
    /// Live zones, in the order of [`ZoneKind::ALL`].
    pub zones: Vec<(ZoneKind, ZoneCounts)>,
    /// Distinct places, each a bar and a kind or column, at which at least one prefix differed.
    pub places: u64,
}

impl PrefixAudit {
    /// Events and values together.
    #[must_use]
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        let columns = self.columns.iter().map(|(_, counts)| counts);
        self.events.iter().map(|(_, counts)| counts).chain(columns).for_each(|counts| total.add(*counts));
        total
    }

    /// Sets of live zones that differ.
    #[must_use]
    pub fn differing_zone_sets(&self) -> u64 {
        self.zones.iter().map(|(_, counts)| counts.differing).sum()
    }
}

/// What differs at a place.
#[derive(Clone, Copy, Debug)]
pub(super) enum Difference {
    Rewritten,
    Vanished,
    Backdated,
}

/// Of what sort a reading is: an event by its kind, or a value by its column.
#[derive(Clone, Copy, Debug)]
pub(super) enum Sort {
    Event(EventKind),
    Column(usize),
}

/// The counts of one thread.
pub(super) struct Tally {
    pub prefixes: u64,
    pub bars_read: u64,
    pub events: Vec<Counts>,
    pub columns: Vec<Counts>,
    pub zones: Vec<ZoneCounts>,
    places: HashSet<(usize, usize)>,
}

impl Tally {
    pub fn new(columns: usize) -> Self {
        Self {
            prefixes: 0,
            bars_read: 0,
            events: vec![Counts::default(); EventKind::ALL.len()],
            columns: vec![Counts::default(); columns],
            zones: vec![ZoneCounts::default(); ZoneKind::ALL.len()],
            places: HashSet::new(),
        }
    }

    /// Counts a difference at a bar.
    pub fn note(&mut self, bar: usize, sort: Sort, difference: Difference) {
        let (slot, counts) = match sort {
            Sort::Event(kind) => (kind as usize, &mut self.events[kind as usize]),
            Sort::Column(column) => (EventKind::ALL.len() + column, &mut self.columns[column]),
        };
        match difference {
            Difference::Rewritten => counts.rewritten += 1,
            Difference::Vanished => counts.vanished += 1,
            Difference::Backdated => counts.backdated += 1,
        }
        self.places.insert((bar, slot));
    }

    pub fn add(&mut self, other: Self) {
        self.prefixes += other.prefixes;
        self.bars_read += other.bars_read;
        self.events.iter_mut().zip(other.events).for_each(|(counts, more)| counts.add(more));
        self.columns.iter_mut().zip(other.columns).for_each(|(counts, more)| counts.add(more));
        for (counts, more) in self.zones.iter_mut().zip(other.zones) {
            counts.sets += more.sets;
            counts.zones += more.zones;
            counts.differing += more.differing;
        }
        self.places.extend(other.places);
    }

    /// Events and values together.
    pub fn total(&self) -> Counts {
        let mut total = Counts::default();
        self.events.iter().chain(&self.columns).for_each(|counts| total.add(*counts));
        total
    }

    pub fn audit(self, columns: Vec<String>) -> PrefixAudit {
        PrefixAudit {
            prefixes: self.prefixes,
            bars_read: self.bars_read,
            events: EventKind::ALL.iter().copied().zip(self.events).collect(),
            columns: columns.into_iter().zip(self.columns).collect(),
            zones: ZoneKind::ALL.iter().copied().zip(self.zones).collect(),
            places: self.places.len() as u64,
        }
    }
}
