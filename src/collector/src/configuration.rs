//! Reads the configuration as otelcol does: several sources, merged map by map, then `--set`, then
//! checked with the environment's values before anything is bound.

use std::path::PathBuf;

use obspipe_model::{Answer, Checked, Options, Problem, Value, check, yaml};

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A text is no YAML.
    #[error("{source_name}: {problem}")]
    Yaml {
        /// Where it came from.
        source_name: String,
        /// What is wrong.
        problem: Problem,
    },
    /// A scheme is not known.
    #[error("{0}: the configuration comes from file:, env: or yaml:")]
    Scheme(String),
    /// `--set` without a value.
    #[error("--set {0}: write key=value, as in --set=processors.batch.timeout=2s")]
    Set(String),
}

/// A configuration as written, all sources merged.
///
/// # Errors
/// See [`LoadError`].
pub fn load(sources: &[String], sets: &[String]) -> Result<Value, LoadError> {
    let mut merged = Value::Map(Vec::new());
    for source in sources {
        merged = merge(merged, unfolded(read(source)?));
    }
    for set in sets {
        let wrong = || LoadError::Set(set.clone());
        let (key, text) = set.split_once('=').ok_or_else(wrong)?;
        let value = parse(text, format!("--set {key}"))?;
        merged = merge(merged, nested(key.rsplit('.'), value));
    }
    Ok(merged)
}

/// A value within maps of these keys, the innermost first.
fn nested<'a>(keys: impl Iterator<Item = &'a str>, value: Value) -> Value {
    keys.fold(value, |value, key| Value::Map(vec![(key.into(), value)]))
}

/// `a::b: c` at the beginning of a line is c in b in a (otelcol confmap, KeyDelimiter), as in
/// `--config=yaml:processors::batch::timeout: 2s`.
fn unfolded(value: Value) -> Value {
    let Value::Map(entries) = value else {
        return value;
    };
    let entries = entries.into_iter().map(|(key, value)| nested(key.rsplit("::"), value));
    entries.fold(Value::Map(Vec::new()), merge)
}

fn read(source: &str) -> Result<Value, LoadError> {
    match source.split_once(':') {
        Some(("yaml", text)) => parse(text, "yaml:".into()),
        Some(("env", name)) => {
            parse(&std::env::var(name).unwrap_or_default(), format!("env:{name}"))
        }
        Some(("file", path)) => file(path),
        Some((scheme, _)) if ["http", "https", "s3"].contains(&scheme) => {
            Err(LoadError::Scheme(source.to_owned()))
        }
        _ => file(source),
    }
}

fn file(path: &str) -> Result<Value, LoadError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| LoadError::Read { path: path.into(), source })?;
    parse(&text, path.to_owned())
}

fn parse(text: &str, source_name: String) -> Result<Value, LoadError> {
    yaml::parse(text).map_err(|problem| LoadError::Yaml { source_name, problem })
}

/// Maps are merged key by key; of anything else the later counts (otelcol confmap, Conf.Merge).
fn merge(before: Value, later: Value) -> Value {
    match (before, later) {
        (Value::Map(mut entries), Value::Map(more)) => {
            for (key, value) in more {
                match entries.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, known)) => *known = merge(std::mem::take(known), value),
                    None => entries.push((key, value)),
                }
            }
            Value::Map(entries)
        }
        // A null body does not erase what another file says of a component.
        (before @ Value::Map(_), Value::Null) => before,
        (_, later) => later,
    }
}

/// A configuration that may be run, with its warnings; or all that is wrong with it.
///
/// # Errors
/// The problems, by path.
pub fn checked(
    raw: &Value,
    admin_port: Option<u16>,
) -> Result<(Checked, Vec<Problem>), Vec<Problem>> {
    let environment = |name: &str| match std::env::var(name) {
        Ok(value) => Answer::Value(value),
        Err(_) => Answer::Unset,
    };
    let options = Options { reserved_ports: admin_port.into_iter().collect() };
    let report = check(raw, &environment, &options);
    match report.checked {
        Some(checked) => Ok((checked, report.warnings)),
        None => Err(report.problems),
    }
}

#[cfg(test)]
mod tests;
