//! The first bar, from a given one on, whose value reaches a level: O(log n) a question, questions asked backwards.
//!
//! Read from its first bar on, a tail sets records; only a record can be the first to reach anything. A stack
//! holds the records of the tail that starts at `start`, nearest on top; a bar put before them hides those it beats.

/// See the module.
#[derive(Debug)]
pub(super) struct NextReach<'a> {
    values: &'a [f64],
    start: usize,
    records: Vec<usize>,
}

impl<'a> NextReach<'a> {
    pub(super) const fn new(values: &'a [f64]) -> Self {
        Self { values, start: values.len(), records: Vec::new() }
    }

    /// The first bar from `from` on whose value is at least `level`; `from` may not grow from call to call.
    pub(super) fn at_least(&mut self, from: usize, level: f64) -> Option<usize> {
        self.first(from, |value| value >= level)
    }

    /// The first bar from `from` on whose value is above `level`; `from` may not grow from call to call.
    pub(super) fn above(&mut self, from: usize, level: f64) -> Option<usize> {
        self.first(from, |value| value > level)
    }

    fn first(&mut self, from: usize, reaches: impl Fn(f64) -> bool) -> Option<usize> {
        while self.start > from {
            self.start -= 1;
            let value = self.values[self.start];
            if value.is_nan() {
                continue;
            }
            while self.records.last().is_some_and(|&record| self.values[record] <= value) {
                self.records.pop();
            }
            self.records.push(self.start);
        }
        let reaching = self.records.partition_point(|&record| reaches(self.values[record]));
        reaching.checked_sub(1).map(|last| self.records[last])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_a_scan_of_the_tail(
            values in prop::collection::vec(prop_oneof![9 => (0..8).prop_map(f64::from), 1 => Just(f64::NAN)], 0..60),
            levels in prop::collection::vec(0..9, 60),
        ) {
            let mut reach = NextReach::new(&values);
            for from in (0..values.len() + 2).rev() {
                let level = f64::from(levels[from % levels.len()]);
                prop_assert_eq!(reach.at_least(from, level), (from..values.len()).find(|&j| values[j] >= level));
                prop_assert_eq!(reach.above(from, level), (from..values.len()).find(|&j| values[j] > level));
            }
        }
    }
}
