//! Holds the readings of a prefix against the record of the whole, as they come.

use super::super::event::Event;
use super::record::{zone_sets, Record};
use super::tally::{Difference, Sort, Tally};
use super::{LiveZones, Page, Witness};

/// The comparison of one prefix.
pub(super) struct Comparison<'a> {
    record: &'a Record,
    tally: &'a mut Tally,
    length: usize,
    /// The bar being compared, and how much of the record was compared so far.
    bar: usize,
    event: usize,
    row: usize,
}

impl<'a> Comparison<'a> {
    /// Of bars `first..length`.
    pub fn new(record: &'a Record, first: usize, length: usize, tally: &'a mut Tally) -> Self {
        let (event, row) = record.read_by(first);
        Self { record, tally, length, bar: first, event, row }
    }

    /// Goes on to `bar`; what the record has up to there and was not shown is backdated.
    fn go_to(&mut self, bar: usize) {
        if bar == self.bar {
            return;
        }
        if self.record.read_by(bar) == (self.event, self.row) {
            self.bar = bar;
            return;
        }
        while self.bar < bar {
            let (events, rows) = self.record.read_by(self.bar + 1);
            for event in self.record.events(self.event, events) {
                self.tally.note(self.bar, Sort::Event(event.kind), Difference::Backdated);
            }
            for row in self.row..rows {
                self.compare_row(&vec![f64::NAN; self.record.columns()], Some(row));
            }
            (self.event, self.row) = (events, rows);
            self.bar += 1;
        }
    }

    fn compare_events(&mut self, seen: &[Event], end: usize) {
        for event in seen {
            self.tally.events[event.kind as usize].readings += 1;
        }
        let known = self.record.events(self.event, end);
        if known.get(..seen.len()) == Some(seen) {
            self.event += seen.len();
            return;
        }
        for (at, event) in seen.iter().enumerate() {
            match known.get(at) {
                Some(same) if same == event => {}
                Some(_) => self.tally.note(self.bar, Sort::Event(event.kind), Difference::Rewritten),
                None => self.tally.note(self.bar, Sort::Event(event.kind), Difference::Vanished),
            }
        }
        self.event += seen.len().min(known.len());
    }

    /// `known` is None where the record has no row in that place.
    fn compare_row(&mut self, seen: &[f64], known: Option<usize>) {
        for (counts, value) in self.tally.columns.iter_mut().zip(seen) {
            counts.readings += u64::from(!value.is_nan());
        }
        let known = known.map(|row| self.record.row(row));
        if known.is_some_and(|known| known.iter().zip(seen).all(|(bits, value)| *bits == value.to_bits())) {
            return;
        }
        for (column, value) in seen.iter().enumerate() {
            let other = known.map_or(f64::NAN, |known| f64::from_bits(known[column]));
            let difference = match (value.is_nan(), other.is_nan()) {
                (true, true) => continue,
                (true, false) => Difference::Backdated,
                (false, true) => Difference::Vanished,
                (false, false) if value.to_bits() == other.to_bits() => continue,
                (false, false) => Difference::Rewritten,
            };
            self.tally.note(self.bar, Sort::Column(column), difference);
        }
    }
}

impl Witness for Comparison<'_> {
    fn page(&mut self, page: Page<'_>, _zones: LiveZones<'_>) {
        self.go_to(page.bar);
        let (events, rows) = self.record.read_by(page.bar + 1);
        self.compare_events(page.events, events);
        if !page.values.is_empty() {
            let known = (self.row < rows).then_some(self.row);
            self.compare_row(page.values, known);
            self.row += usize::from(known.is_some());
        }
    }

    fn end(&mut self, zones: LiveZones<'_>) {
        self.go_to(self.length);
        let Some(known) = self.record.zones(self.length) else { return };
        for ((counts, seen), known) in self.tally.zones.iter_mut().zip(zone_sets(&zones())).zip(known) {
            counts.sets += 1;
            counts.zones += seen.zones;
            counts.differing += u64::from(seen != *known);
        }
    }
}
