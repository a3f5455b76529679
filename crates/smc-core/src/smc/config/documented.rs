//! Parameters as data: the key of each, and the sentence that documents it in the code.

use chrono_tz::Tz;

use super::super::civil_time::{PeriodLength, TimeOfDay};
use super::{Correlation, DisplacementForm, PivotRule, WindowConfig};

/// A parameter of the detector, or a section of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Where it stands, such as `swing.size`; empty for the whole.
    pub key: String,
    /// What it means: its documentation in the code.
    pub doc: &'static str,
    /// What kind of value it takes; empty for a section.
    pub form: &'static str,
}

/// A type that a parameter may have.
pub(super) trait Documented {
    /// What kind of value it is; empty for a section.
    const FORM: &'static str;

    /// Appends what stands at `key`, and below it.
    fn describe(key: &str, doc: &'static str, found: &mut Vec<Parameter>) {
        found.push(Parameter { key: key.to_owned(), doc, form: Self::FORM });
    }
}

impl Documented for u32 {
    const FORM: &'static str = "a whole number";
}

impl Documented for f64 {
    const FORM: &'static str = "a number";
}

impl Documented for Option<f64> {
    const FORM: &'static str = "null or a number";
}

impl Documented for Option<u32> {
    const FORM: &'static str = "null or a whole number";
}

impl Documented for bool {
    const FORM: &'static str = "true or false";
}

impl Documented for Option<PeriodLength> {
    const FORM: &'static str = "null or one of";
}

impl Documented for Correlation {
    const FORM: &'static str = "one of";
}

impl Documented for PivotRule {
    const FORM: &'static str = "one of";
}

impl Documented for DisplacementForm {
    const FORM: &'static str = "one of";
}

impl Documented for Tz {
    const FORM: &'static str = "an IANA time zone, such as Europe/London";
}

impl Documented for TimeOfDay {
    const FORM: &'static str = "a time of day from 00:00 to 23:59";
}

impl Documented for Option<WindowConfig> {
    const FORM: &'static str = "null or an object of zone, start and end, such as Europe/London, 08:00 and 17:00";
}

/// A section of parameters, whose documentation can be read at run time too.
macro_rules! documented {
    (
        $(#[$meta:meta])*
        pub struct $name:ident {
            $($(#[doc = $doc:literal])+ $(#[serde($($serde:tt)*)])? pub $field:ident: $type:ty,)+
        }
    ) => {
        $(#[$meta])*
        pub struct $name {
            $($(#[doc = $doc])+ $(#[serde($($serde)*)])? pub $field: $type,)+
        }

        impl $crate::smc::config::documented::Documented for $name {
            const FORM: &'static str = "";

            fn describe(key: &str, doc: &'static str, found: &mut Vec<$crate::smc::config::Parameter>) {
                found.push($crate::smc::config::Parameter { key: key.to_owned(), doc, form: Self::FORM });
                let prefix = if key.is_empty() { String::new() } else { format!("{key}.") };
                $(<$type as $crate::smc::config::documented::Documented>::describe(
                    &format!("{prefix}{}", stringify!($field)),
                    concat!($($doc),+).trim_ascii(),
                    found,
                );)+
            }
        }
    };
}
pub(super) use documented;
