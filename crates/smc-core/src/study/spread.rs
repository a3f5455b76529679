//! How many independent outcomes a number of clustered ones is worth.

/// Hits and outcomes summed over blocks, which come in order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Spread {
    block: usize,
    inside: [f64; 2],
    blocks: f64,
    hits: f64,
    outcomes: f64,
    /// Sums over blocks of hits squared, hits times outcomes, outcomes squared.
    squares: [f64; 3],
}

impl Spread {
    /// Adds an outcome of a block that does not come before the last one's.
    pub fn add(&mut self, block: usize, hit: bool) {
        if block != self.block {
            self.close();
            self.block = block;
        }
        self.inside[0] += f64::from(u8::from(hit));
        self.inside[1] += 1.0;
    }

    fn close(&mut self) {
        let [hits, outcomes] = std::mem::take(&mut self.inside);
        if outcomes == 0.0 {
            return;
        }
        self.blocks += 1.0;
        self.hits += hits;
        self.outcomes += outcomes;
        self.squares[0] += hits * hits;
        self.squares[1] += hits * outcomes;
        self.squares[2] += outcomes * outcomes;
    }

    /// The number of outcomes over the design effect; the number itself where one block cannot tell, or all
    /// outcomes are the same.
    pub fn effective(mut self) -> f64 {
        self.close();
        let rate = self.hits / self.outcomes;
        let alone = self.outcomes * rate * (1.0 - rate);
        if self.blocks < 2.0 || alone <= 0.0 {
            return self.outcomes;
        }
        // Sum over blocks of (hits - rate * outcomes)^2: the variance of the ratio, times outcomes squared.
        let between = self.squares[0] - 2.0 * rate * self.squares[1] + rate * rate * self.squares[2];
        let design_effect = between * self.blocks / (self.blocks - 1.0) / alone;
        self.outcomes / design_effect.max(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effective(blocks: &[&[bool]]) -> f64 {
        let mut spread = Spread::default();
        for (block, outcomes) in blocks.iter().enumerate() {
            outcomes.iter().for_each(|&hit| spread.add(7 * block, hit));
        }
        spread.effective()
    }

    #[test]
    fn copies_inside_a_block_count_once() {
        let singles: Vec<Vec<bool>> = (0..200u32).map(|number| vec![number % 2 == 0]).collect();
        let tenfold: Vec<Vec<bool>> = singles.iter().map(|block| block.repeat(10)).collect();
        let of = |blocks: &[Vec<bool>]| effective(&blocks.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert!((of(&singles) - 199.0).abs() < 1.0, "{}", of(&singles));
        assert!((of(&tenfold) - 199.0).abs() < 1.0, "{}", of(&tenfold));
    }

    #[test]
    fn more_even_than_chance_is_no_gain() {
        assert_eq!(effective(&[&[true, false], &[false, true], &[true, false]]), 6.0);
    }

    #[test]
    fn one_block_or_one_outcome_says_nothing_of_spread() {
        assert_eq!(effective(&[&[true, false, true]]), 3.0);
        assert_eq!(effective(&[&[true, true], &[true]]), 3.0);
    }
}
