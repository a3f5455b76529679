//! What a book could lose: historical value at risk and expected shortfall, exact, on every order; beside them the
//! parametric and the EWMA figure, shrunk correlations, and named stresses.
//!
//! Losses are positive. Money is an integer in a unit that the caller chooses, returns are integers in
//! [`RETURN_UNIT`]ths, and their products are summed without rounding, so that a book which was kept up to date order
//! by order equals one computed anew, bit for bit. Variances and correlations are statistics, and floats.

mod book;
mod clusters;
mod delta_normal;
mod error;
mod moments;
mod normal;
mod scenarios;
mod settings;
mod shrinkage;
mod stress;
mod tail;

pub use book::{Assessment, RiskBook};
pub use clusters::clusters;
pub use error::RiskError;
pub use moments::{Ewma, Moments};
pub use normal::{normal_cdf, normal_quantile};
pub use scenarios::{simple_return, Instrument, Scenarios, LARGEST_RETURN, RETURN_UNIT};
pub use settings::RiskBookSettings;
pub use shrinkage::{shrunk_correlation, Shrunk};
pub use stress::{Stress, STRESSES};
pub use tail::{order_statistic, Tail, TailFinder};
