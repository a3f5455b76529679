//! Held positions as a Markov decision process, many at once: what a policy for size and exit is trained on.

mod position;
mod tape;
mod trade_gym;

pub use position::{SIZES, STATE_NAMES};
pub use tape::{GymError, GymTape, Trade};
pub use trade_gym::{EpisodeOrder, StepBuffers, TradeGym};
