//! The columns: a name, a sentence, and the function that computes it, side by side; a file for each group.
//!
//! A column that looks at one side names it (`bullish`, `buy_side`, `upper_wick`) and has a partner that looks at the
//! other: negated prices swap the two. Directions, biases and returns change their sign instead, positions in a range
//! `x` become `1 - x`, and what has no side stays.

mod bar;
mod clock;
mod levels;
mod structure;
mod zones;

use super::view::FeatureView;

/// One feature.
#[derive(Clone, Copy)]
pub struct Column {
    /// Its name, stable once models are trained on it.
    pub name: &'static str,
    /// What it measures, its unit, its bounds and its neutral value.
    pub doc: &'static str,
    pub(in crate::features) value: fn(&FeatureView<'_>) -> f64,
}

const GROUPS: &[&[Column]] = &[
    zones::COLUMNS,
    levels::LEVELS,
    levels::EQUAL_LEVELS,
    levels::PERIODS,
    levels::SWEEPS,
    structure::DECISION,
    structure::CONTEXTS,
    structure::CONFLUENCE,
    bar::COLUMNS,
    clock::COLUMNS,
    clock::WINDOWS,
];

const NUMBER: usize = {
    let (mut number, mut group) = (0, 0);
    while group < GROUPS.len() {
        number += GROUPS[group].len();
        group += 1;
    }
    number
};

const ALL: [Column; NUMBER] = {
    let mut all = [GROUPS[0][0]; NUMBER];
    let (mut number, mut group) = (0, 0);
    while group < GROUPS.len() {
        let mut place = 0;
        while place < GROUPS[group].len() {
            all[number] = GROUPS[group][place];
            number += 1;
            place += 1;
        }
        group += 1;
    }
    all
};

/// Every feature, in the order of the vector.
pub const COLUMNS: &[Column] = &ALL;
