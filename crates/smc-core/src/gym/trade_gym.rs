//! Many positions side by side, each lane going on with another trade when its own is over.

use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::position::{Position, SIZES, STATE_NAMES};
use super::tape::{GymError, GymTape};
use crate::sim::below;

/// Which trade a lane takes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EpisodeOrder {
    /// All trades once in a random order, then all in another: for training.
    Shuffled,
    /// All trades as given, over and over: for evaluation.
    Sequential,
}

/// Where a step writes, each as long as there are lanes, `observations` times the width of one.
#[derive(Debug)]
pub struct StepBuffers<'a> {
    /// The next observation; of a lane that is over, the first of its next trade.
    pub observations: &'a mut [f32],
    /// Of a lane that is over, the observation that its trade ended with; others are left as they are.
    pub terminal: &'a mut [f32],
    /// The change of the position's value.
    pub rewards: &'a mut [f32],
    /// 1 where the trade is over.
    pub dones: &'a mut [u8],
    /// Of a lane that is over, its trade's position in the list; others are left as they are.
    pub trades: &'a mut [i64],
}

struct Lane {
    trade: usize,
    position: Position,
}

/// The vectorised environment.
pub struct TradeGym {
    tape: GymTape,
    order: EpisodeOrder,
    chance: ChaCha8Rng,
    queue: Vec<usize>,
    next: usize,
    lanes: Vec<Lane>,
    /// Whether the lanes still stand where they were made.
    untouched: bool,
}

impl TradeGym {
    /// `lanes` positions side by side; the order of trades follows from `seed`.
    ///
    /// # Errors
    /// [`GymError`] without lanes.
    pub fn new(tape: GymTape, lanes: usize, order: EpisodeOrder, seed: u64) -> Result<Self, GymError> {
        if lanes == 0 {
            return Err(GymError::Nothing("there are no lanes"));
        }
        let queue = (0..tape.trades.len()).collect();
        let chance = ChaCha8Rng::seed_from_u64(seed);
        let mut made = Self { tape, order, chance, queue, next: 0, lanes: Vec::with_capacity(lanes), untouched: true };
        for _ in 0..lanes {
            let lane = made.draw();
            made.lanes.push(lane);
        }
        Ok(made)
    }

    /// Number of values in an observation.
    #[must_use]
    pub fn width(&self) -> usize {
        self.tape.width + STATE_NAMES.len()
    }

    /// Number of lanes.
    #[must_use]
    pub fn lanes(&self) -> usize {
        self.lanes.len()
    }

    /// Every lane begins another trade, the first time the first ones; writes their first observations.
    ///
    /// # Errors
    /// [`GymError::BufferLength`].
    pub fn reset(&mut self, observations: &mut [f32]) -> Result<(), GymError> {
        let width = self.width();
        self.fits("observations", observations.len(), width)?;
        let untouched = std::mem::replace(&mut self.untouched, false);
        for lane in 0..self.lanes.len() {
            if !untouched {
                self.lanes[lane] = self.draw();
            }
            self.lanes[lane].position.observe(&self.tape, &mut observations[lane * width..(lane + 1) * width]);
        }
        Ok(())
    }

    /// Takes one action a lane: at entry the index of a size, later 0 to hold and anything else to leave.
    ///
    /// # Errors
    /// [`GymError`] naming the buffer or the action that does not fit; nothing has moved.
    pub fn step(&mut self, actions: &[i64], out: &mut StepBuffers<'_>) -> Result<(), GymError> {
        let width = self.width();
        for (name, given, each) in [
            ("actions", actions.len(), 1),
            ("observations", out.observations.len(), width),
            ("terminal", out.terminal.len(), width),
            ("rewards", out.rewards.len(), 1),
            ("dones", out.dones.len(), 1),
            ("trades", out.trades.len(), 1),
        ] {
            self.fits(name, given, each)?;
        }
        let known = |&(_, &action): &(usize, &i64)| !(0..SIZES.len() as i64).contains(&action);
        if let Some((lane, &action)) = actions.iter().enumerate().find(known) {
            return Err(GymError::UnknownAction { lane, action, actions: SIZES.len(), last: SIZES.len() - 1 });
        }
        self.untouched = false;
        for (number, &action) in actions.iter().enumerate() {
            let place = number * width..(number + 1) * width;
            let lane = &mut self.lanes[number];
            let (reward, done) = lane.position.step(&self.tape, action as usize);
            (out.rewards[number], out.dones[number]) = (reward, u8::from(done));
            if done {
                out.trades[number] = lane.trade as i64;
                lane.position.observe(&self.tape, &mut out.terminal[place.clone()]);
                self.lanes[number] = self.draw();
            }
            self.lanes[number].position.observe(&self.tape, &mut out.observations[place]);
        }
        Ok(())
    }

    fn draw(&mut self) -> Lane {
        if self.next == 0 && self.order == EpisodeOrder::Shuffled {
            for last in (1..self.queue.len()).rev() {
                self.queue.swap(last, below(&mut self.chance, last + 1));
            }
        }
        let trade = self.queue[self.next];
        self.next = (self.next + 1) % self.queue.len();
        Lane { trade, position: Position::new(self.tape.trades[trade]) }
    }

    fn fits(&self, name: &'static str, given: usize, each: usize) -> Result<(), GymError> {
        let lanes = self.lanes.len();
        let wanted = lanes * each;
        if given == wanted {
            return Ok(());
        }
        Err(GymError::BufferLength { name, given, wanted, lanes })
    }
}
