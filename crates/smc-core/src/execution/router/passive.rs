//! Resting orders: where waiting is worth most, by the chance of a fill.

use super::take::{within, RouteError};

/// What resting at a venue's best price is like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PassiveVenue {
    /// Lots ahead in the queue.
    pub queue: i64,
    /// Lots a second that leave the queue by trades and cancellations ahead.
    pub outflow: f64,
    /// Mean lots of one such event.
    pub event_lots: f64,
    /// Half the spread, in ticks: what a fill earns against the middle.
    pub half_spread: f64,
    /// Maker rebate in ticks a lot; negative is a fee.
    pub rebate: f64,
    /// What crossing after a miss costs against the middle, in ticks a lot: half the spread, fee, and the move until then.
    pub cross_cost: f64,
    /// Expected move against a fill, in ticks: minus the maker markout.
    pub adverse_selection: f64,
    /// Most lots to rest there.
    pub most: i64,
    /// An order is a whole number of so many lots.
    pub lot: i64,
    /// Fewest lots of an order.
    pub least: i64,
}

/// Lots to rest at each venue, and lots that are better crossed now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassivePlan {
    /// For each venue.
    pub lots: Vec<i64>,
    /// The rest.
    pub cross: i64,
}

/// Chance that an order of `lots` behind `queue` is filled within `seconds`.
///
/// Events that shorten the queue arrive as a Poisson process, each of the mean size; the order is filled when
/// `ceil((queue + lots) / event_lots)` have come. Above a thousand events, the normal approximation with half an event
/// of continuity.
///
/// # Errors
/// [`RouteError`] naming a number out of range.
pub fn fill_probability(venue: &PassiveVenue, lots: i64, seconds: f64) -> Result<f64, RouteError> {
    within("queue", venue.queue as f64, venue.queue >= 0, "zero or more")?;
    within("outflow", venue.outflow, venue.outflow >= 0.0 && venue.outflow.is_finite(), "zero or more, and finite")?;
    let mean_size = venue.event_lots;
    within("event_lots", mean_size, mean_size > 0.0 && mean_size.is_finite(), "positive and finite")?;
    within("lots", lots as f64, lots > 0, "positive")?;
    within("seconds", seconds, seconds >= 0.0 && seconds.is_finite(), "zero or more, and finite")?;
    let needed = ((venue.queue as f64 + lots as f64) / mean_size).ceil();
    let mean = venue.outflow * seconds / mean_size;
    if mean == 0.0 {
        return Ok(0.0);
    }
    if needed > 1_000.0 || mean > 700.0 {
        return Ok(normal_above((needed - 0.5 - mean) / mean.sqrt()));
    }
    let (mut term, mut below) = ((-mean).exp(), 0.0);
    for events in 0..needed as i64 {
        below += term;
        term *= mean / (events + 1) as f64;
    }
    Ok((1.0 - below).clamp(0.0, 1.0))
}

/// Chance that a standard normal exceeds `z`: Abramowitz and Stegun 26.2.17, within 7.5e-8.
fn normal_above(z: f64) -> f64 {
    let t = 1.0 / (1.0 + 0.231_641_9 * z.abs());
    let series =
        t * (0.319_381_530 + t * (-0.356_563_782 + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let tail = (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * series;
    if z >= 0.0 {
        tail
    } else {
        1.0 - tail
    }
}

/// Worth of resting, in ticks a lot against the middle:
/// `P(fill) * (half spread + rebate - adverse selection) - P(miss) * cross cost`.
///
/// # Errors
/// [`RouteError`] naming a number out of range.
pub fn passive_score(venue: &PassiveVenue, lots: i64, seconds: f64) -> Result<f64, RouteError> {
    let prices = [
        ("half_spread", venue.half_spread),
        ("rebate", venue.rebate),
        ("cross_cost", venue.cross_cost),
        ("adverse_selection", venue.adverse_selection),
    ];
    for (name, value) in prices {
        within(name, value, value.is_finite(), "finite")?;
    }
    let filled = fill_probability(venue, lots, seconds)?;
    Ok(filled * (venue.half_spread + venue.rebate - venue.adverse_selection) - (1.0 - filled) * venue.cross_cost)
}

/// Rests `total` lots where it is worth most, venue after venue up to its limit, as long as it beats crossing at once.
///
/// `cross_now` is what crossing at once costs against the middle, in ticks a lot. Every order is a whole number of the
/// venue's lots and reaches its smallest order; what fits nowhere is crossed.
///
/// # Errors
/// [`RouteError`] naming a number out of range.
pub fn place_passively(
    total: i64,
    seconds: f64,
    cross_now: f64,
    venues: &[PassiveVenue],
) -> Result<PassivePlan, RouteError> {
    within("total", total as f64, total > 0, "positive")?;
    within("cross_now", cross_now, cross_now.is_finite(), "finite")?;
    let mut scores = Vec::with_capacity(venues.len());
    for (index, venue) in venues.iter().enumerate() {
        within("lot", venue.lot as f64, venue.lot > 0, "positive")?;
        within("most", venue.most as f64, venue.most >= 0, "zero or more")?;
        let size = total.min(venue.most).max(1);
        scores.push((passive_score(venue, size, seconds)?, index));
    }
    scores.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let (mut lots, mut left) = (vec![0; venues.len()], total);
    for (score, index) in scores {
        let venue = &venues[index];
        let part = left.min(venue.most) / venue.lot * venue.lot;
        if score > -cross_now && part >= venue.least.max(1) {
            lots[index] = part;
            left -= part;
        }
    }
    Ok(PassivePlan { lots, cross: left })
}
