//! One side of a book: quantities by price in pages of neighbouring ticks.
//!
//! An update finds its page by a hash (most often it is the page of the update before), and writes one number and one bit.
//! The best level is kept; when it goes, the next one is found in the bits of its page, or in those of the pages below.
//! Pages that have become empty stay where they are, because the market comes back to its prices; they are
//! dropped together when they have come to outnumber the others.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// Ticks of a page as a power of two: a page is one word of bits and two lines of cache for each 16 ticks.
const PAGE_BITS: u32 = 5;
const PAGE_TICKS: usize = 1 << PAGE_BITS;
const PAGE_MASK: i64 = PAGE_TICKS as i64 - 1;

/// Empty pages that are kept whatever the number of the others.
const SPARE_PAGES: usize = 256;

/// Below every key: the best of an empty side.
const NO_KEY: i64 = i64::MIN;

/// Spreads page numbers, which are neighbours, by one multiplication.
#[derive(Clone, Copy, Debug, Default)]
struct PageHasher(u64);

impl Hasher for PageHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_i64(i64::from(byte));
        }
    }

    fn write_i64(&mut self, number: i64) {
        // 2^64 by the golden ratio; the halves are folded so that both ends of the word are spread.
        let product = u128::from(self.0 ^ number.cast_unsigned()) * 0x9E37_79B9_7F4A_7C15;
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }
}

#[derive(Clone, Debug)]
struct Page {
    occupied: u32,
    quantities: [i64; PAGE_TICKS],
}

const EMPTY_PAGE: Page = Page { occupied: 0, quantities: [0; PAGE_TICKS] };

/// Levels of one side by key, the price signed so that a better level has a higher key.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    slots: HashMap<i64, u32, BuildHasherDefault<PageHasher>>,
    pages: Vec<Page>,
    /// Numbers of all pages with their slots, ascending.
    order: Vec<(i64, u32)>,
    /// Pages that hold a level.
    filled: usize,
    levels: usize,
    best: i64,
    /// Number and slot of the page touched last.
    recent: (i64, u32),
}

impl Default for Ladder {
    fn default() -> Self {
        Self {
            slots: HashMap::default(),
            pages: Vec::new(),
            order: Vec::new(),
            filled: 0,
            levels: 0,
            best: NO_KEY,
            recent: (NO_KEY, 0),
        }
    }
}

/// Highest occupied tick of a page strictly below `bit` (at most the page's length).
const fn highest_below(occupied: u32, bit: u32) -> Option<u32> {
    let below = occupied & ((1u64 << bit) - 1) as u32;
    below.checked_ilog2()
}

impl Ladder {
    fn slot_of(&mut self, number: i64) -> Option<u32> {
        if self.recent.0 == number {
            return Some(self.recent.1);
        }
        let slot = *self.slots.get(&number)?;
        self.recent = (number, slot);
        Some(slot)
    }

    #[cold]
    fn add_page(&mut self, number: i64) -> u32 {
        if self.pages.len() - self.filled > self.filled + SPARE_PAGES {
            self.drop_empty_pages();
        }
        let slot = self.pages.len() as u32;
        self.pages.push(EMPTY_PAGE);
        self.slots.insert(number, slot);
        let position = self.order.partition_point(|&(other, _)| other < number);
        self.order.insert(position, (number, slot));
        self.recent = (number, slot);
        slot
    }

    fn drop_empty_pages(&mut self) {
        let mut kept = Self { levels: self.levels, best: self.best, filled: self.filled, ..Self::default() };
        for &(number, slot) in &self.order {
            let page = &self.pages[slot as usize];
            if page.occupied != 0 {
                let slot = kept.pages.len() as u32;
                kept.pages.push(page.clone());
                kept.slots.insert(number, slot);
                kept.order.push((number, slot));
            }
        }
        *self = kept;
    }

    /// Sets the quantity at `key`, 0 for none, and tells what was there.
    pub(super) fn set(&mut self, key: i64, quantity: i64) -> i64 {
        let number = key >> PAGE_BITS;
        let slot = match self.slot_of(number) {
            Some(slot) => slot,
            None if quantity == 0 => return 0,
            None => self.add_page(number),
        };
        let bit = (key & PAGE_MASK) as u32;
        let page = &mut self.pages[slot as usize];
        let before = std::mem::replace(&mut page.quantities[bit as usize], quantity);
        if quantity != 0 {
            if before == 0 {
                self.filled += usize::from(page.occupied == 0);
                page.occupied |= 1 << bit;
                self.levels += 1;
                self.best = self.best.max(key);
            }
        } else if before != 0 {
            page.occupied &= !(1 << bit);
            let emptied = page.occupied == 0;
            self.filled -= usize::from(emptied);
            self.levels -= 1;
            if key == self.best {
                let in_page = highest_below(page.occupied, bit);
                self.best = in_page
                    .map_or_else(|| self.best_below_page(number), |bit| key - (key & PAGE_MASK) + i64::from(bit));
            }
        }
        before
    }

    /// Best key of the pages below `number`.
    fn best_below_page(&self, number: i64) -> i64 {
        let below = self.order.partition_point(|&(other, _)| other < number);
        let filled = self.order[..below].iter().rev().find_map(|&(number, slot)| {
            let bit = self.pages[slot as usize].occupied.checked_ilog2()?;
            Some((number << PAGE_BITS) + i64::from(bit))
        });
        filled.unwrap_or(NO_KEY)
    }

    /// Quantity at `key`, 0 where there is no level.
    pub(super) fn quantity(&self, key: i64) -> i64 {
        let number = key >> PAGE_BITS;
        let slot = if self.recent.0 == number { Some(self.recent.1) } else { self.slots.get(&number).copied() };
        slot.map_or(0, |slot| self.pages[slot as usize].quantities[(key & PAGE_MASK) as usize])
    }

    /// Key and quantity of the best level.
    pub(super) fn best(&self) -> Option<(i64, i64)> {
        (self.best != NO_KEY).then(|| (self.best, self.quantity(self.best)))
    }

    /// Key of the best level, below every key where there is none.
    pub(super) const fn best_key(&self) -> i64 {
        self.best
    }

    /// Number of levels.
    pub(super) const fn len(&self) -> usize {
        self.levels
    }

    /// All levels as (key, quantity), best first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        let top = self.order.partition_point(|&(number, _)| number <= self.best >> PAGE_BITS);
        self.order[..top].iter().rev().flat_map(|&(number, slot)| {
            let page = &self.pages[slot as usize];
            let mut next = highest_below(page.occupied, PAGE_TICKS as u32);
            std::iter::from_fn(move || {
                let bit = next?;
                next = highest_below(page.occupied, bit);
                Some(((number << PAGE_BITS) + i64::from(bit), page.quantities[bit as usize]))
            })
        })
    }
}
