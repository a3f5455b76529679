//! The cheapest split in whole units, exactly: a greedy walk inside branch and bound.
//!
//! With bounds on each venue alone the problem is a linear program whose optimum the greedy walk over the merged
//! ladders is. What a venue takes is not an interval (nothing, or a multiple of its lot from its smallest order on), so
//! where the walk ends between two orders that a venue takes, the search goes on with less and with more at that venue.

use super::ladder::Ladder;

/// Nodes searched before the best split so far is taken as it is.
const MOST_NODES: usize = 1_000;

/// Units of each venue with the units left over and the cost.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Split {
    pub units: Vec<i64>,
    pub unfilled: i64,
    pub cost: i128,
}

impl Split {
    /// Filling more comes first, then cost.
    const fn rank(&self) -> (i64, i128) {
        (self.unfilled, self.cost)
    }
}

/// Reads a ladder from its cheap end.
#[derive(Clone, Copy, Default)]
struct Cursor {
    step: usize,
    used: i64,
}

impl Cursor {
    /// Takes up to `units` off the step it stands on.
    fn take(&mut self, ladder: &Ladder, units: i64) -> (i64, i128) {
        let (cost, depth) = ladder.steps[self.step];
        let taken = units.min(depth - self.used);
        self.used += taken;
        if self.used == depth {
            (self.step, self.used) = (self.step + 1, 0);
        }
        (taken, i128::from(cost) * i128::from(taken))
    }
}

/// Bounds on each venue's units.
#[derive(Clone)]
struct Node {
    least: Vec<i64>,
    most: Vec<i64>,
}

/// The cheapest split within the bounds, whatever the venues take; None where the lower bounds exceed the order.
fn greedy(ladders: &[Ladder], node: &Node, wanted: i64, cursors: &mut Vec<Cursor>) -> Option<Split> {
    let mut left = wanted - node.least.iter().sum::<i64>();
    if left < 0 {
        return None;
    }
    cursors.clear();
    cursors.resize(ladders.len(), Cursor::default());
    let (mut units, mut cost) = (node.least.clone(), 0i128);
    for (venue, &forced) in node.least.iter().enumerate() {
        let mut rest = forced;
        while rest > 0 {
            let (taken, paid) = cursors[venue].take(&ladders[venue], rest);
            (rest, cost) = (rest - taken, cost + paid);
        }
    }
    while left > 0 {
        let mut best: Option<(i64, usize)> = None;
        for (venue, ladder) in ladders.iter().enumerate() {
            if units[venue] < node.most[venue] {
                let price = ladder.steps[cursors[venue].step].0;
                if best.is_none_or(|(lowest, _)| price < lowest) {
                    best = Some((price, venue));
                }
            }
        }
        let Some((_, venue)) = best else { break };
        let (taken, paid) = cursors[venue].take(&ladders[venue], left.min(node.most[venue] - units[venue]));
        units[venue] += taken;
        (left, cost) = (left - taken, cost + paid);
    }
    Some(Split { units, unfilled: left, cost })
}

/// The cheapest split of `wanted` units among those the venues take, and whether that is proven.
pub(super) fn cheapest(ladders: &[Ladder], wanted: i64) -> (Split, bool) {
    let whole = Node { least: vec![0; ladders.len()], most: ladders.iter().map(|ladder| ladder.depth).collect() };
    let mut best = Split { units: vec![0; ladders.len()], unfilled: wanted, cost: 0 };
    let (mut open, mut cursors, mut nodes) = (vec![whole], Vec::new(), 0);
    while let Some(node) = open.pop() {
        nodes += 1;
        if nodes > MOST_NODES {
            return (best, false);
        }
        let Some(split) = greedy(ladders, &node, wanted, &mut cursors) else { continue };
        if split.rank() >= best.rank() {
            continue;
        }
        let between = |venue: &usize| split.units[*venue] != ladders[*venue].down(split.units[*venue]);
        let Some(venue) = (0..ladders.len()).find(between) else {
            best = split;
            continue;
        };
        let (less, more) = (ladders[venue].down(split.units[venue]), ladders[venue].up(split.units[venue]));
        if more <= node.most[venue] {
            let mut least = node.least.clone();
            least[venue] = more;
            open.push(Node { least, most: node.most.clone() });
        }
        if less >= node.least[venue] {
            let mut most = node.most;
            most[venue] = less;
            open.push(Node { least: node.least, most });
        }
    }
    (best, true)
}

/// The cost of the next unit after `wanted`, or of the last there is: what a lot costs that has to be sent again.
pub(super) fn marginal(ladders: &[Ladder], wanted: i64) -> Option<i64> {
    let mut cursors = vec![Cursor::default(); ladders.len()];
    let (mut left, mut reached) = (wanted, None);
    loop {
        let heads = ladders.iter().zip(&cursors).enumerate();
        let next =
            heads.filter_map(|(venue, (ladder, at))| ladder.steps.get(at.step).map(|step| (step.0, venue))).min();
        let Some((cost, venue)) = next else { return reached };
        reached = Some(cost);
        if left <= 0 {
            return reached;
        }
        left -= cursors[venue].take(&ladders[venue], left).0;
    }
}
