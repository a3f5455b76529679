//! The same count for the divergences of two instruments: outcomes are prices of the first.
//!
//! A divergence implies a direction of the first instrument, so the race runs on its bars, from its last close when the
//! divergence became known. Where the first has no bar at that step, that is the close before.

use crate::market::{Bar, Timeframe};
use crate::smc::atr::AverageTrueRange;
use crate::smc::config::DivergenceConfig;
use crate::smc::divergence::moments;
use crate::smc::DivergenceDetector;

use super::{HitCount, Now, Study, StudyError, StudySettings};

/// Runs the detector of divergences over the bars of two instruments and counts what its records were followed by on
/// the first one's; its average true range is that of `atr_period` bars.
///
/// # Errors
/// [`StudyError`] naming the setting, the parameter, or the bar.
pub fn divergence_counts(
    [first, second]: [&[Bar]; 2],
    timeframe: Timeframe,
    config: DivergenceConfig,
    atr_period: u32,
    settings: StudySettings,
) -> Result<Vec<HitCount>, StudyError> {
    if atr_period == 0 {
        return Err(StudyError::Setting { key: "atr_period", value: 0.0, wanted: "1 or more" });
    }
    let mut study = Study::new(settings)?;
    let mut detector = DivergenceDetector::new(timeframe, config)?;
    let (mut atr, mut events) = (AverageTrueRange::new(atr_period), Vec::new());
    let (mut closed, mut read) = (None, 0);
    for [one, other] in moments(first, second) {
        if let Some(bar) = one {
            study.races.advance(read, bar);
            atr.update(bar);
            closed = Some((read, bar));
            read += 1;
        }
        events.clear();
        detector.update(one, other, &mut events)?;
        let Some((index, bar)) = closed else { continue };
        let now = Now { index, bar, atr: atr.value() };
        for event in &events {
            study.take(now, event);
        }
    }
    Ok(study.finish())
}
