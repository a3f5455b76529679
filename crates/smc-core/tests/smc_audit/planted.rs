//! Readers that look ahead, each in a way of its own, counted by the audit and by a model that keeps every prefix.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use proptest::prelude::*;
use smc_core::market::{Bar, Timeframe};
use smc_core::smc::audit::{Counts, LegacyReader, LiveZones, Page, PrefixAudit, Reader, Witness};
use smc_core::smc::{Detector, Event, EventKind, PivotRule, Zone};

use super::smc_common::{one_minute_bar, small, timeframe, walk};
use super::{audit, every, instrument};

/// How a planted reader cheats.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cheat {
    /// It does not.
    Nothing,
    /// Tells on each bar what the next one makes known.
    OneBarEarly,
    /// Puts a pivot on the newest bar, whatever it is.
    NewestBarIsAPivot,
    /// Lifts the upper edge of every pivot to the highest price there ever is.
    HighestPriceOfAll,
    /// Forgets its oldest zone when the number of bars is even.
    ForgetsAZone,
    /// Tells every event on the last bar.
    AllInTheEnd,
}

/// A detector behind a cheat, with the next close, and the close as a share of the highest one, for columns.
struct Planted(Cheat);

impl Planted {
    fn detect(bars: &[Bar]) -> Vec<(Vec<Event>, Vec<Zone>)> {
        let mut detector = Detector::new(timeframe("1m"), small(PivotRule::Fractal)).unwrap();
        let read = |bar: &Bar| {
            let mut events = Vec::new();
            detector.update(bar, &mut events).unwrap();
            (events, detector.zones())
        };
        bars.iter().map(read).collect()
    }

    fn forgets(&self, bars: usize, zones: &[Zone]) -> bool {
        self.0 == Cheat::ForgetsAZone && bars.is_multiple_of(2) && !zones.is_empty()
    }

    fn cheat(&self, bars: &[Bar], pages: &mut Vec<Vec<Event>>) {
        let highest = bars.iter().map(|bar| bar.high).max().unwrap_or(0);
        match self.0 {
            Cheat::OneBarEarly if !pages.is_empty() => {
                pages.remove(0);
                pages.push(Vec::new());
            }
            Cheat::NewestBarIsAPivot => {
                let invented = pages.iter().flatten().find(|event| event.kind == EventKind::Pivot).copied();
                let last = pages.last_mut().into_iter().next();
                if let (Some(invented), Some(last)) = (invented, last) {
                    last.push(Event { id: 0, ..invented });
                }
            }
            Cheat::HighestPriceOfAll => {
                let pivots = pages.iter_mut().flatten().filter(|event| event.kind == EventKind::Pivot);
                pivots.for_each(|event| event.high = highest);
            }
            Cheat::AllInTheEnd => {
                let all = pages.iter_mut().flat_map(std::mem::take).collect();
                if let Some(last) = pages.last_mut() {
                    *last = all;
                }
            }
            _ => {}
        }
    }
}

impl Reader for Planted {
    type Item = Bar;
    type Error = Infallible;

    fn columns(&self) -> Vec<String> {
        vec!["next_close".to_owned(), "close_share".to_owned()]
    }

    fn read<W: Witness>(&self, bars: &[Bar], witness: &mut W) -> Result<(), Infallible> {
        let (mut pages, mut zones): (Vec<_>, Vec<_>) = Self::detect(bars).into_iter().unzip();
        self.cheat(bars, &mut pages);
        if let Some(last) = zones.last_mut().filter(|last| self.forgets(bars.len(), last)) {
            last.remove(0);
        }
        let highest = bars.iter().map(|bar| bar.close).max().unwrap_or(1);
        let live = |bar: Option<usize>| -> Vec<(Timeframe, Zone)> {
            bar.map(|bar| zones[bar].iter().map(|zone| (timeframe("1m"), *zone)).collect()).unwrap_or_default()
        };
        for (bar, events) in pages.iter().enumerate() {
            let next = bars.get(bar + 1).map_or(f64::NAN, |next| next.close as f64);
            let row = [next, bars[bar].close as f64 / highest as f64];
            let values: &[f64] = if self.0 == Cheat::Nothing { &[] } else { &row };
            witness.page(Page { bar, events, values }, &|| live(Some(bar)));
        }
        witness.end(&|| live(bars.len().checked_sub(1)));
        Ok(())
    }
}

/// All that a run shows: events and rows by bar.
#[derive(Default)]
struct Pages {
    events: BTreeMap<usize, Vec<Event>>,
    rows: BTreeMap<usize, Vec<Vec<f64>>>,
}

impl Witness for Pages {
    fn page(&mut self, page: Page<'_>, _zones: LiveZones<'_>) {
        self.events.entry(page.bar).or_default().extend_from_slice(page.events);
        if !page.values.is_empty() {
            self.rows.entry(page.bar).or_default().push(page.values.to_vec());
        }
    }

    fn end(&mut self, _zones: LiveZones<'_>) {}
}

fn pages<R: Reader<Item = Bar>>(reader: &R, bars: &[Bar]) -> Pages
where
    R::Error: std::fmt::Debug,
{
    let mut pages = Pages::default();
    reader.read(bars, &mut pages).unwrap();
    pages
}

/// A reading by bar, sort (kind or column) and number within the bar.
type Readings = BTreeMap<(usize, String, usize), (String, String)>;

/// Numbered by place: what stands there is a sort and a value.
fn flat(pages: &Pages) -> (Readings, Readings) {
    let (mut events, mut values) = (Readings::new(), Readings::new());
    for (&bar, list) in &pages.events {
        for (at, event) in list.iter().enumerate() {
            events.insert((bar, String::new(), at), (event.kind.name().to_owned(), format!("{event:?}")));
        }
    }
    for (&bar, rows) in &pages.rows {
        for (at, row) in rows.iter().enumerate() {
            for (column, value) in row.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
                let sort = format!("{column:03}");
                values.insert((bar, sort.clone(), at), (sort, format!("{:x}", value.to_bits())));
            }
        }
    }
    (events, values)
}

/// The counts of every sort, and the places that differ.
type Model = (BTreeMap<String, Counts>, BTreeSet<(usize, String)>);

fn model<R: Reader<Item = Bar>>(reader: &R, bars: &[Bar]) -> Model
where
    R::Error: std::fmt::Debug,
{
    let whole = flat(&pages(reader, bars));
    let (mut counts, mut places) = Model::default();
    for length in every(bars) {
        let part = flat(&pages(reader, &bars[..length]));
        for (seen, known) in [(&part.0, &whole.0), (&part.1, &whole.1)] {
            for (place, reading) in seen {
                let counts: &mut Counts = counts.entry(reading.0.clone()).or_default();
                counts.readings += 1;
                counts.vanished += u64::from(!known.contains_key(place));
                counts.rewritten += u64::from(known.get(place).is_some_and(|other| other != reading));
                if known.get(place) != Some(reading) {
                    places.insert((place.0, reading.0.clone()));
                }
            }
            for (place, reading) in known.iter().filter(|(place, _)| place.0 < length && !seen.contains_key(*place)) {
                counts.entry(reading.0.clone()).or_default().backdated += 1;
                places.insert((place.0, reading.0.clone()));
            }
        }
    }
    (counts, places)
}

fn of(found: &PrefixAudit) -> (BTreeMap<String, Counts>, usize) {
    let events = found.events.iter().map(|(kind, counts)| (kind.name().to_owned(), *counts));
    let columns = found.columns.iter().enumerate().map(|(at, (_, counts))| (format!("{at:03}"), *counts));
    let counts = events.chain(columns).filter(|(_, counts)| *counts != Counts::default()).collect();
    (counts, found.places as usize)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn every_cheat_is_counted_exactly(bars in walk(30..90)) {
        for cheat in [
            Cheat::Nothing,
            Cheat::OneBarEarly,
            Cheat::NewestBarIsAPivot,
            Cheat::HighestPriceOfAll,
            Cheat::ForgetsAZone,
            Cheat::AllInTheEnd,
        ] {
            let reader = Planted(cheat);
            let found = audit(&reader, &bars, &every(&bars));
            let (counts, places) = model(&reader, &bars);
            prop_assert_eq!(of(&found), (counts, places.len()), "{:?}", cheat);
            let clean = found.total().is_clean();
            prop_assert_eq!(clean, cheat == Cheat::Nothing, "{:?}", cheat);
        }
    }

    #[test]
    fn hindsight_of_the_library_is_counted_exactly(bars in walk(20..70)) {
        let instrument = instrument();
        for causal in [false, true] {
            let reader = LegacyReader { instrument: &instrument, swing_length: 2, causal };
            let found = audit(&reader, &bars, &every(&bars));
            let (counts, places) = model(&reader, &bars);
            prop_assert_eq!(of(&found), (counts, places.len()));
            prop_assert_eq!(found.total().is_clean(), causal);
        }
    }
}

/// Forty bars that rise and fall, with pivots of both sides.
fn waves() -> Vec<Bar> {
    (0..40).map(|t| 1_000 + 10 * (t % 10 - 5i64).abs()).enumerate().map(wave).collect()
}

fn wave((minute, price): (usize, i64)) -> Bar {
    one_minute_bar(minute as i64, [price, price + 2, price - 2, price + 1])
}

fn pivots(found: &PrefixAudit) -> Counts {
    found.events.iter().find(|(kind, _)| *kind == EventKind::Pivot).unwrap().1
}

#[test]
fn one_bar_early_shows_as_one_backdated_reading_an_event() {
    let bars = waves();
    let events: usize = Planted::detect(&bars)[1..].iter().map(|(events, _)| events.len()).sum();
    let found = audit(&Planted(Cheat::OneBarEarly), &bars, &every(&bars));
    let events_only: u64 = found.events.iter().map(|(_, counts)| counts.backdated).sum();
    assert_eq!(events_only as usize, events);
    assert!(found.events.iter().all(|(_, counts)| counts.rewritten + counts.vanished == 0));
}

#[test]
fn a_made_up_pivot_vanishes_on_every_prefix_but_the_last() {
    let bars = waves();
    let is_pivot = |event: &Event| event.kind == EventKind::Pivot;
    let first = Planted::detect(&bars).iter().position(|(events, _)| events.iter().any(is_pivot));
    let found = audit(&Planted(Cheat::NewestBarIsAPivot), &bars, &every(&bars));
    // It takes a first pivot to copy; on a bar with events of its own it is one more, and the whole run has none there.
    assert_eq!(pivots(&found).vanished as usize, bars.len() - 1 - first.unwrap());
    assert_eq!((pivots(&found).rewritten, pivots(&found).backdated), (0, 0));
}

#[test]
fn forgotten_zones_show_in_the_sets_of_zones_alone() {
    let bars = waves();
    let forgets = Planted(Cheat::ForgetsAZone);
    // The whole run forgets one too, on the last bar: there alone both agree.
    let seen = Planted::detect(&bars);
    let wrong = (1..bars.len()).filter(|&length| forgets.forgets(length, &seen[length - 1].1)).count();
    let found = audit(&forgets, &bars, &every(&bars));
    assert!(wrong > 10 && found.events.iter().all(|(_, counts)| counts.is_clean()));
    assert_eq!(found.differing_zone_sets() as usize, wrong);
    assert_eq!(audit(&Planted(Cheat::Nothing), &bars, &every(&bars)).differing_zone_sets(), 0);
}
