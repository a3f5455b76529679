//! Markets of the same bars without their order: what chance alone would give.
//!
//! A bar's **shape** is its open counted from the close before it, and its high, low and close counted from its open,
//! all in ticks: exact, so that a surrogate has exactly the shapes of the market. The first bar, which has no
//! close before it, stays the first. Volumes belong to the shape. Mirrored, every distance changes sign, and high and
//! low change places. Times stay where they are: the clock goes on as it did, with the market's gaps, while bars move.
//!
//! - **shuffled**: the shapes in random order, each mirrored with a chance of one half. Nothing is left but the shapes:
//!   neither direction nor the clustering of volatility, nor the hour at which bars are long;
//! - **mirrored**: the shapes in their order, each mirrored with a chance of one half. Direction is lost; how long bars
//!   are, and when, is kept.
//!
//! Prices are counted from the first open, and moved up as a whole where they would fall below one tick: nothing the
//! detector reads depends on where zero is.

use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use crate::market::Bar;
use crate::sim::below;
use crate::smc::event::named_enum;

named_enum! {
    /// What a surrogate keeps of a market.
    SurrogateKind {
        /// The shapes of its bars.
        Shuffled => "shuffled",
        /// The shapes of its bars, in their order.
        Mirrored => "mirrored",
    }
}

/// Prices that do not fit 64 bits once their bars are put in another order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("surrogate {number} of these bars leaves the range of 64-bit prices at bar {bar}; use a coarser tick")]
pub struct SurrogateError {
    /// Which surrogate.
    pub number: u64,
    /// Index of the bar.
    pub bar: usize,
}

#[derive(Clone, Copy, Debug)]
struct Shape {
    gap: i64,
    high: i64,
    low: i64,
    close: i64,
}

impl Shape {
    const fn of(bar: &Bar, before: i64) -> Self {
        let Bar { open, high, low, close, .. } = *bar;
        Self { gap: open - before, high: high - open, low: low - open, close: close - open }
    }

    const fn mirrored(self) -> Self {
        Self { gap: -self.gap, high: -self.low, low: -self.high, close: -self.close }
    }
}

/// Surrogate `number` of `seed`: the same for the same arguments, whatever the others.
///
/// # Errors
/// [`SurrogateError`] where prices leave 64 bits.
pub fn surrogate(bars: &[Bar], kind: SurrogateKind, seed: u64, number: u64) -> Result<Vec<Bar>, SurrogateError> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(number);
    let mut order: Vec<usize> = (0..bars.len()).collect();
    if kind == SurrogateKind::Shuffled {
        for last in (2..order.len()).rev() {
            order.swap(last, 1 + below(&mut rng, last));
        }
    }
    let first = bars.first().map_or(0, |bar| bar.open);
    let (mut close, mut lowest) = (first, i64::MAX);
    let mut made = Vec::with_capacity(bars.len());
    for (place, (&from, at)) in order.iter().zip(bars).enumerate() {
        let source = &bars[from];
        let shape = Shape::of(source, if from == 0 { source.open } else { bars[from - 1].close });
        let shape = if below(&mut rng, 2) == 0 { shape } else { shape.mirrored() };
        let bar = built(shape, close, source, at).ok_or(SurrogateError { number, bar: place })?;
        (close, lowest) = (bar.close, lowest.min(bar.low));
        made.push(bar);
    }
    raise(&mut made, lowest);
    Ok(made)
}

/// The bar of a shape after a close, with the volumes of `source` and the times of `at`.
fn built(shape: Shape, close: i64, source: &Bar, at: &Bar) -> Option<Bar> {
    let open = close.checked_add(shape.gap)?;
    Some(Bar {
        open_time: at.open_time,
        close_time: at.close_time,
        open,
        high: open.checked_add(shape.high)?,
        low: open.checked_add(shape.low)?,
        close: open.checked_add(shape.close)?,
        ..*source
    })
}

/// Moves all prices up, where the lowest is below one tick.
fn raise(bars: &mut [Bar], lowest: i64) {
    if lowest >= 1 {
        return;
    }
    let by = 1 - lowest;
    for bar in bars {
        for price in [&mut bar.open, &mut bar.high, &mut bar.low, &mut bar.close] {
            *price = price.saturating_add(by);
        }
    }
}
