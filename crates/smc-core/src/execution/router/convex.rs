//! Costs that grow with the quantity: `a q + b q^2` at each venue, split by water-filling.

use super::take::{within, RouteError};

/// A venue's cost of `q` lots, `price * q + impact * q^2`, up to a cap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConvexVenue {
    /// All-in cost of the first lot.
    pub price: f64,
    /// Growth of the cost; positive.
    pub impact: f64,
    /// Most lots.
    pub cap: f64,
}

impl ConvexVenue {
    fn cost_of_next(&self, lots: i64) -> f64 {
        self.price + self.impact * (2.0 * lots as f64 + 1.0)
    }
}

/// The split of `quantity` that costs least: `q_v = clip((mu - a_v) / (2 b_v), 0, cap_v)` with one mu for all.
///
/// What is filled is piecewise linear in mu, so mu follows exactly from the piece it lies on.
///
/// # Errors
/// [`RouteError`] where a number is out of range or the caps hold less than `quantity`.
pub fn water_fill(quantity: f64, venues: &[ConvexVenue]) -> Result<Vec<f64>, RouteError> {
    within("quantity", quantity, quantity >= 0.0 && quantity.is_finite(), "zero or more, and finite")?;
    for venue in venues {
        within("price", venue.price, venue.price.is_finite(), "finite")?;
        within("impact", venue.impact, venue.impact > 0.0 && venue.impact.is_finite(), "positive and finite")?;
        within("cap", venue.cap, venue.cap >= 0.0 && venue.cap.is_finite(), "zero or more, and finite")?;
    }
    let caps: f64 = venues.iter().map(|venue| venue.cap).sum();
    within("quantity", quantity, quantity <= caps, "at most the sum of the caps")?;
    // Where a venue starts to fill and where it is full, with what that does to the slope of all.
    let mut bends: Vec<(f64, f64)> = Vec::with_capacity(2 * venues.len());
    for venue in venues {
        let slope = 1.0 / (2.0 * venue.impact);
        bends.extend([(venue.price, slope), (venue.price + 2.0 * venue.impact * venue.cap, -slope)]);
    }
    bends.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut level, mut filled, mut slope) = (bends.first().map_or(0.0, |bend| bend.0), 0.0, 0.0);
    for (at, change) in bends {
        let more = slope * (at - level);
        if filled + more >= quantity {
            break;
        }
        (level, filled, slope) = (at, filled + more, slope + change);
    }
    if filled < quantity && slope > 0.0 {
        level += (quantity - filled) / slope;
    }
    let share = |venue: &ConvexVenue| ((level - venue.price) / (2.0 * venue.impact)).clamp(0.0, venue.cap);
    Ok(venues.iter().map(share).collect())
}

/// The same in whole lots, exactly: floors, then the largest remainders, then single lots moved while that pays.
///
/// Costs of single venues are convex, so a split that no move of one lot improves is the best of all.
///
/// # Errors
/// [`RouteError`], as [`water_fill`]; caps count in whole lots.
pub fn split_convex(lots: i64, venues: &[ConvexVenue]) -> Result<Vec<i64>, RouteError> {
    let whole: Vec<ConvexVenue> = venues.iter().map(|venue| ConvexVenue { cap: venue.cap.floor(), ..*venue }).collect();
    let real = water_fill(lots as f64, &whole)?;
    let mut split: Vec<i64> = real.iter().map(|share| share.floor() as i64).collect();
    let mut order: Vec<usize> = (0..venues.len()).collect();
    order.sort_by(|&a, &b| (real[b] - real[b].floor()).total_cmp(&(real[a] - real[a].floor())));
    let mut left = lots - split.iter().sum::<i64>();
    while left > 0 {
        let before = left;
        for &venue in &order {
            if left > 0 && (split[venue] as f64) < whole[venue].cap {
                (split[venue], left) = (split[venue] + 1, left - 1);
            }
        }
        if left == before {
            break;
        }
    }
    loop {
        let dearest = (0..split.len())
            .filter(|&venue| split[venue] > 0)
            .map(|venue| (whole[venue].cost_of_next(split[venue] - 1), venue))
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let cheapest = (0..split.len())
            .filter(|&venue| (split[venue] as f64) < whole[venue].cap)
            .map(|venue| (whole[venue].cost_of_next(split[venue]), venue))
            .min_by(|a, b| a.0.total_cmp(&b.0));
        match (dearest, cheapest) {
            (Some((saved, giver)), Some((paid, taker))) if paid < saved => {
                split[giver] -= 1;
                split[taker] += 1;
            }
            _ => return Ok(split),
        }
    }
}
