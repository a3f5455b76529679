//! Lists the places within a range whose value is at least a threshold, and takes values away: O(log n) for each found.

/// A tree of maxima over a fixed run of values.
#[derive(Debug)]
pub(super) struct ValueTree {
    leaves: usize,
    maxima: Vec<f64>,
}

const EMPTY: f64 = f64::NEG_INFINITY;

impl ValueTree {
    pub(super) fn new(values: impl ExactSizeIterator<Item = f64>) -> Self {
        let leaves = values.len().next_power_of_two();
        let mut maxima = vec![EMPTY; 2 * leaves];
        for (slot, value) in maxima[leaves..].iter_mut().zip(values) {
            *slot = if value.is_nan() { EMPTY } else { value };
        }
        for node in (1..leaves).rev() {
            maxima[node] = maxima[2 * node].max(maxima[2 * node + 1]);
        }
        Self { leaves, maxima }
    }

    /// Takes the value at `place` away.
    pub(super) fn remove(&mut self, place: usize) {
        let mut node = self.leaves + place;
        self.maxima[node] = EMPTY;
        while node > 1 {
            node /= 2;
            self.maxima[node] = self.maxima[2 * node].max(self.maxima[2 * node + 1]);
        }
    }

    /// The first place in `from .. to` whose value is at least `threshold`.
    pub(super) fn first_at_least(&self, from: usize, to: usize, threshold: f64) -> Option<usize> {
        if from >= to.min(self.leaves) {
            return None;
        }
        let mut node = self.leaves + from;
        while self.maxima[node] < threshold || self.maxima[node] == EMPTY {
            // Leave by the right: up while a right child (or the root), then one step across.
            while node % 2 == 1 {
                if node & (node + 1) == 0 {
                    return None;
                }
                node /= 2;
            }
            node += 1;
        }
        while node < self.leaves {
            node *= 2;
            if self.maxima[node] < threshold {
                node += 1;
            }
        }
        Some(node - self.leaves).filter(|&place| place < to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_a_scan(
            values in prop::collection::vec((0..9).prop_map(f64::from), 0..40),
            steps in prop::collection::vec((0_usize..40, 0_usize..42, 0..10, any::<bool>()), 0..60),
        ) {
            let mut tree = ValueTree::new(values.iter().copied());
            let mut left: Vec<Option<f64>> = values.iter().copied().map(Some).collect();
            for (from, to, threshold, take) in steps {
                let threshold = f64::from(threshold);
                let there = |place: &usize| left.get(*place).copied().flatten().is_some_and(|value| value >= threshold);
                let expected = (from..to).find(there);
                prop_assert_eq!(tree.first_at_least(from, to, threshold), expected);
                if let Some(place) = expected.filter(|_| take) {
                    tree.remove(place);
                    left[place] = None;
                }
            }
        }
    }
}
