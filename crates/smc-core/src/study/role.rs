//! What a kind of record is to the study, told from the lists of kinds alone.

use crate::smc::{EventKind, ZoneKind};

/// What a record of a kind begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A zone: tested from its first touch.
    Zone,
    /// Something that happens to a zone.
    ZoneLife,
    /// A sign: tested from its close, where it has a direction.
    Sign,
    /// Nothing that could be tested: the birth of a level, the end of something by age.
    Silent,
}

/// The role of each kind.
///
/// A kind that makes a zone is the zone's. A kind named after it (`order_block_touched`) is its life. A level rests
/// without a direction, and what takes it has one: a sign. All else is a sign, but for expiry.
#[derive(Clone, Debug)]
pub(super) struct Roles(Vec<Role>);

impl Default for Roles {
    fn default() -> Self {
        Self(EventKind::ALL.iter().map(|&kind| role(kind)).collect())
    }
}

impl Roles {
    pub fn of(&self, kind: EventKind) -> Role {
        self.0.get(kind as usize).copied().unwrap_or(Role::Silent)
    }
}

/// Whether a record ends something for its age or number only.
pub(super) fn is_expiry(kind: EventKind) -> bool {
    kind.name().ends_with("_expired")
}

fn role(kind: EventKind) -> Role {
    let made = ZoneKind::ALL.iter().find(|zone| zone.creation() == kind);
    if let Some(zone) = made {
        return if zone.is_level() { Role::Silent } else { Role::Zone };
    }
    let after = |zone: &&ZoneKind| kind.name().strip_prefix(zone.name()).is_some_and(|rest| rest.starts_with('_'));
    if ZoneKind::ALL.iter().filter(|zone| !zone.is_level()).any(|zone| after(&zone)) {
        return Role::ZoneLife;
    }
    if is_expiry(kind) {
        Role::Silent
    } else {
        Role::Sign
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_have_the_roles_that_their_names_say() {
        let roles = Roles::default();
        for (kind, expected) in [
            (EventKind::OrderBlock, Role::Zone),
            (EventKind::OrderBlockTouched, Role::ZoneLife),
            (EventKind::OrderBlockExpired, Role::ZoneLife),
            (EventKind::InverseFairValueGapTouched, Role::ZoneLife),
            (EventKind::FairValueGapInverted, Role::ZoneLife),
            (EventKind::LiquidityPool, Role::Silent),
            (EventKind::LiquidityPoolSwept, Role::Sign),
            (EventKind::LiquidityPoolExpired, Role::Silent),
            (EventKind::InducementTaken, Role::Sign),
            (EventKind::Bos, Role::Sign),
            (EventKind::MssStrict, Role::Sign),
            (EventKind::JudasSwing, Role::Sign),
            (EventKind::JudasSwingExpired, Role::Silent),
        ] {
            assert_eq!(roles.of(kind), expected, "{}", kind.name());
        }
    }

    #[test]
    fn a_kind_is_found_at_its_place() {
        for (place, &kind) in EventKind::ALL.iter().enumerate() {
            assert_eq!(kind as usize, place);
        }
    }
}
