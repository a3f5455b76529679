//! The detector's parameters: JSON in, with errors that name key, value and range; documentation out.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde_json::{json, Value};
use smc_core::smc::{DetectorConfig, Parameter};

use crate::market::value_error;

/// Parses a configuration; what it leaves out has its default, in every section.
///
/// Raises the `ValueError` that names the first key that is unknown, or whose value is refused, and what it takes.
pub(crate) fn parse_config(json: &str) -> PyResult<DetectorConfig> {
    parse(json).map_err(|why| PyValueError::new_err(format!("detector configuration: {why}")))
}

fn parse(text: &str) -> Result<DetectorConfig, String> {
    let given: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let defaults = defaults()?;
    let parameters = DetectorConfig::parameters();
    let mut whole = defaults.clone();
    merge(&parameters, "", &given, &mut whole)?;
    let config: DetectorConfig = match serde_json::from_value(whole) {
        Ok(config) => config,
        Err(error) => return Err(refused(&parameters, &given, &defaults).unwrap_or_else(|| error.to_string())),
    };
    config.validate().map_err(|error| error.to_string())?;
    Ok(config)
}

fn defaults() -> Result<Value, String> {
    serde_json::to_value(DetectorConfig::default()).map_err(|error| error.to_string())
}

/// Puts `given` over `whole`, the section at `key`; refuses what is no parameter.
fn merge(parameters: &[Parameter], key: &str, given: &Value, whole: &mut Value) -> Result<(), String> {
    let (Value::Object(given), Value::Object(whole)) = (given, whole) else {
        let place = if key.is_empty() { "the whole" } else { key };
        return Err(format!(
            "{place} is {given}; it must be an object with any of {}",
            below(parameters, key).join(", ")
        ));
    };
    for (name, value) in given {
        let inner = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
        let Some(parameter) = parameters.iter().find(|parameter| parameter.key == inner) else {
            let place = if key.is_empty() { "the detector" } else { key };
            return Err(format!("{inner} is unknown; {place} has {}", below(parameters, key).join(", ")));
        };
        match whole.get_mut(name) {
            Some(section) if parameter.form.is_empty() => merge(parameters, &inner, value, section)?,
            _ => {
                whole.insert(name.clone(), value.clone());
            }
        }
    }
    Ok(())
}

/// Names of what stands directly below `key`.
fn below<'a>(parameters: &'a [Parameter], key: &str) -> Vec<&'a str> {
    let inner = |parameter: &'a Parameter| {
        let rest = parameter.key.strip_prefix(key)?;
        let name = if key.is_empty() { rest } else { rest.strip_prefix('.')? };
        (!name.is_empty() && !name.contains('.')).then_some(name)
    };
    parameters.iter().filter_map(inner).collect()
}

/// The first given value that does not parse where everything else has its default.
fn refused(parameters: &[Parameter], given: &Value, defaults: &Value) -> Option<String> {
    parameters.iter().filter(|parameter| !parameter.form.is_empty()).find_map(|parameter| {
        let value = at(given, &parameter.key)?;
        attempt(defaults, &parameter.key, value.clone()).err()?;
        let wanted = wanted(parameter, defaults);
        Some(format!("{} is {value}; it must be {wanted}", parameter.key))
    })
}

fn at<'a>(tree: &'a Value, key: &str) -> Option<&'a Value> {
    key.split('.').try_fold(tree, |value, name| value.get(name))
}

/// The defaults with one value in another's place.
fn attempt(defaults: &Value, key: &str, value: Value) -> Result<DetectorConfig, String> {
    let mut tree = defaults.clone();
    if let Some(slot) = tree.pointer_mut(&format!("/{}", key.replace('.', "/"))) {
        *slot = value;
    }
    serde_json::from_value(tree).map_err(|error| error.to_string())
}

/// What a parameter takes, in words: its form, with the range or the choices that the core itself states.
fn wanted(parameter: &Parameter, defaults: &Value) -> String {
    let Parameter { key, form, .. } = parameter;
    let choices = choices(key, defaults);
    if !choices.is_empty() {
        return format!("one of {}", choices.join(", "));
    }
    let probes = [json!(0), json!(-1.0)];
    let range = probes.into_iter().filter_map(|probe| attempt(defaults, key, probe).ok()).find_map(|config| {
        let error = config.validate().err().filter(|error| error.key == key.as_str())?;
        Some(error.wanted)
    });
    range.map_or_else(|| (*form).to_owned(), |range| format!("{form}, {range}"))
}

/// The words that a parameter may be; none where it takes others than words of a list.
fn choices(key: &str, defaults: &Value) -> Vec<String> {
    let Err(error) = attempt(defaults, key, json!("")) else { return Vec::new() };
    let Some((_, expected)) = error.split_once("unknown variant ``, expected ") else { return Vec::new() };
    expected.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

type Row = (String, String, String, Vec<String>, &'static str);

/// Key, default as JSON, what it takes, the choices if it is one of a list, and documentation of every parameter;
/// a section has no default and takes nothing.
#[pyfunction]
fn detector_parameters() -> PyResult<Vec<Row>> {
    let defaults = defaults().map_err(PyValueError::new_err)?;
    let rows = DetectorConfig::parameters().into_iter().filter(|parameter| !parameter.key.is_empty());
    let rows = rows.map(|parameter| {
        let doc = parameter.doc;
        if parameter.form.is_empty() {
            return (parameter.key, String::new(), String::new(), Vec::new(), doc);
        }
        let default = at(&defaults, &parameter.key).map(Value::to_string).unwrap_or_default();
        let (wanted, choices) = (wanted(&parameter, &defaults), choices(&parameter.key, &defaults));
        (parameter.key, default, wanted, choices, doc)
    });
    Ok(rows.collect())
}

/// The whole configuration that a part of it stands for, as JSON with sorted keys.
#[pyfunction]
#[pyo3(signature = (config_json = "{}"))]
fn detector_config(config_json: &str) -> PyResult<String> {
    to_json(&parse_config(config_json)?)
}

/// A configuration as JSON with sorted keys.
pub(crate) fn to_json(config: &DetectorConfig) -> PyResult<String> {
    serde_json::to_value(config).map(|value| value.to_string()).map_err(value_error)
}

pub(crate) fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(detector_parameters, module)?)?;
    module.add_function(wrap_pyfunction!(detector_config, module)?)
}
