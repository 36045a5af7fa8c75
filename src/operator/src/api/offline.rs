//! What the API server would refuse of an object, found without one: the definition's schema and
//! its CEL rules, evaluated here.

use std::collections::HashSet;
use std::sync::LazyLock;

use kube::Resource;
use kube::core::cel::{CompiledSchema, ErrorKind, Validator, compile_schema};
use regex::Regex;
use serde_json::{Map, Value};

use super::ObservabilityPipeline;
use super::schema::custom_resource_definition;

#[cfg(test)]
mod tests;

/// Fields of every object, which a definition's schema does not name.
const ROOT_FIELDS: [&str; 3] = ["apiVersion", "kind", "metadata"];
/// Longest value that a message repeats.
const MAX_QUOTED: usize = 60;

static SCHEMA: LazyLock<Value> = LazyLock::new(|| {
    let crd = serde_json::to_value(custom_resource_definition()).unwrap_or_default();
    crd.pointer("/spec/versions/0/schema/openAPIV3Schema").cloned().unwrap_or_default()
});

static RULES: LazyLock<CompiledSchema> = LazyLock::new(|| compile_schema(&SCHEMA));

/// Everything for which the API server would refuse to create `object`, as `path: what`. Fields
/// that it does not know are among them, as `kubectl` refuses those.
#[must_use]
pub fn problems(object: &Value) -> Vec<String> {
    let mut walk = Walk::default();
    type_of_object(object, &mut walk);
    let object = without_nulls(object, &SCHEMA);
    walk.value("", &object, &SCHEMA);
    let Walk { mut problems, mut unknown } = walk;
    if problems.is_empty() {
        // As in the API server: the rules are written for objects of the right shape.
        problems.extend(refused_by_rules(&object));
    }
    unknown.append(&mut problems);
    unknown
}

fn type_of_object(object: &Value, walk: &mut Walk) {
    let expected = [
        ("apiVersion", ObservabilityPipeline::api_version(&())),
        ("kind", ObservabilityPipeline::kind(&())),
    ];
    for (field, expected) in expected {
        if object[field] != *expected {
            let found = quoted(&object[field]);
            walk.problem(field, &format!("must be {expected:?}, not {found}"));
        }
    }
    if !object["metadata"].is_object() {
        walk.problem("metadata", "required");
    }
}

fn refused_by_rules(object: &Value) -> Vec<String> {
    let Err(errors) = Validator::new().validate_compiled(&RULES, object, None) else {
        return Vec::new();
    };
    // A rule that only the API server can evaluate is left to it.
    let known = errors.into_vec().into_iter().filter(|e| e.kind != ErrorKind::UnsupportedReference);
    known.map(|error| error.to_string()).collect()
}

/// The API server drops nulls that a schema does not allow before it looks at anything else.
fn without_nulls(value: &Value, schema: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept = map.iter().filter_map(|(name, value)| {
                let Some(inner) = schema_of(schema, name) else {
                    return Some((name.clone(), value.clone()));
                };
                let drop = value.is_null() && inner["nullable"] != true;
                (!drop).then(|| (name.clone(), without_nulls(value, inner)))
            });
            Value::Object(kept.collect())
        }
        Value::Array(items) => {
            items.iter().map(|item| without_nulls(item, &schema["items"])).collect()
        }
        other => other.clone(),
    }
}

/// The schema of a field, or of a map's values.
fn schema_of<'a>(schema: &'a Value, name: &str) -> Option<&'a Value> {
    let property = schema["properties"].get(name);
    property.or_else(|| schema.get("additionalProperties").filter(|values| values.is_object()))
}

/// What was found on the way through an object.
#[derive(Default)]
struct Walk {
    problems: Vec<String>,
    /// Apart, as these do not keep the rules from being evaluated.
    unknown: Vec<String>,
}

impl Walk {
    fn problem(&mut self, path: &str, what: &str) {
        self.problems.push(format!("{path}: {what}"));
    }

    fn value(&mut self, path: &str, value: &Value, schema: &Value) {
        if value.is_null() && schema["nullable"] == true {
            return;
        }
        if let Err(expected) = check_type(value, schema) {
            self.problem(path, &format!("must be {expected}, not {}", quoted(value)));
            return;
        }
        self.one_of(path, value, schema);
        match value {
            Value::Object(map) => self.object(path, map, schema),
            Value::Array(items) => self.list(path, items, schema),
            Value::String(text) => self.string(path, text, schema),
            Value::Number(number) => self.number(path, number.as_f64().unwrap_or(0.0), schema),
            Value::Bool(_) | Value::Null => {}
        }
    }

    fn one_of(&mut self, path: &str, value: &Value, schema: &Value) {
        if let Some(allowed) = schema["enum"].as_array()
            && !allowed.contains(value)
        {
            let list: Vec<String> = allowed.iter().map(quoted).collect();
            let found = quoted(value);
            self.problem(path, &format!("must be one of {}, not {found}", list.join(", ")));
        }
    }

    fn object(&mut self, path: &str, map: &Map<String, Value>, schema: &Value) {
        for name in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !map.contains_key(name) {
                self.problem(&field(path, name), "required");
            }
        }
        self.size(path, map.len(), schema, ("minProperties", "maxProperties"), "entries");
        let open = schema["x-kubernetes-preserve-unknown-fields"] == true
            || schema["additionalProperties"] == true;
        for (name, value) in map {
            if path.is_empty() && ROOT_FIELDS.contains(&name.as_str()) {
                continue;
            }
            match schema_of(schema, name) {
                Some(inner) if schema["properties"].get(name).is_some() => {
                    self.value(&field(path, name), value, inner);
                }
                Some(inner) => self.value(&format!("{path}[{name}]"), value, inner),
                None if open => {}
                None => {
                    let hint = suggestion(name, schema);
                    self.unknown.push(format!("{}: unknown field{hint}", field(path, name)));
                }
            }
        }
    }

    fn list(&mut self, path: &str, items: &[Value], schema: &Value) {
        self.size(path, items.len(), schema, ("minItems", "maxItems"), "items");
        let keys = schema["x-kubernetes-list-map-keys"].as_array();
        let set = schema["x-kubernetes-list-type"] == "set";
        let mut seen = HashSet::new();
        for (index, item) in items.iter().enumerate() {
            let at = format!("{path}[{index}]");
            if let Some(inner) = schema.get("items") {
                self.value(&at, item, inner);
            }
            let identity = match keys {
                Some(keys) => keys_of(item, keys),
                None => quoted(item),
            };
            if (set || keys.is_some()) && !seen.insert(identity.clone()) {
                self.problem(&at, &format!("duplicate {identity}"));
            }
        }
    }

    fn string(&mut self, path: &str, text: &str, schema: &Value) {
        self.size(path, text.chars().count(), schema, ("minLength", "maxLength"), "characters");
        if let Some(pattern) = schema["pattern"].as_str()
            // A pattern that does not compile here is left to the API server.
            && Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text))
        {
            let found = quoted(&Value::from(text));
            self.problem(path, &format!("must match {pattern}, not {found}"));
        }
    }

    fn number(&mut self, path: &str, number: f64, schema: &Value) {
        if let Some(minimum) = schema["minimum"].as_f64() {
            if schema["exclusiveMinimum"] == true && number <= minimum {
                self.problem(path, &format!("must be greater than {minimum}, not {number}"));
            } else if number < minimum {
                self.problem(path, &format!("must be at least {minimum}, not {number}"));
            }
        }
        if let Some(maximum) = schema["maximum"].as_f64() {
            if schema["exclusiveMaximum"] == true && number >= maximum {
                self.problem(path, &format!("must be less than {maximum}, not {number}"));
            } else if number > maximum {
                self.problem(path, &format!("must be at most {maximum}, not {number}"));
            }
        }
    }

    fn size(
        &mut self,
        path: &str,
        size: usize,
        schema: &Value,
        (least, most): (&str, &str),
        unit: &str,
    ) {
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        if let Some(least) = schema[least].as_u64().filter(|least| size < *least) {
            self.problem(path, &format!("must have at least {least} {unit}, not {size}"));
        }
        if let Some(most) = schema[most].as_u64().filter(|most| size > *most) {
            self.problem(path, &format!("must have at most {most} {unit}, not {size}"));
        }
    }
}

/// Whether a value is of the schema's type; the expected one, where it is not.
fn check_type(value: &Value, schema: &Value) -> Result<(), &'static str> {
    if schema["x-kubernetes-int-or-string"] == true {
        let good = value.is_string() || is_integer(value, schema);
        return if good { Ok(()) } else { Err("an integer or a string") };
    }
    let (good, expected) = match schema["type"].as_str() {
        Some("object") => (value.is_object(), "an object"),
        Some("array") => (value.is_array(), "a list"),
        Some("string") => (value.is_string(), "a string"),
        Some("boolean") => (value.is_boolean(), "true or false"),
        Some("number") => (value.is_number(), "a number"),
        Some("integer") => (is_integer(value, schema), "an integer"),
        _ => (true, ""),
    };
    if good { Ok(()) } else { Err(expected) }
}

fn is_integer(value: &Value, schema: &Value) -> bool {
    // `1.0` is an integer in JSON as the API server reads it.
    let whole = value.as_f64().is_some_and(|number| number.fract() == 0.0);
    let fits = schema["format"] != "int32"
        || value.as_f64().is_some_and(|n| n >= f64::from(i32::MIN) && n <= f64::from(i32::MAX));
    whole && fits
}

fn keys_of(item: &Value, keys: &[Value]) -> String {
    let pairs = keys.iter().filter_map(Value::as_str);
    let pairs: Vec<String> = pairs.map(|key| format!("{key} {}", quoted(&item[key]))).collect();
    pairs.join(", ")
}

fn field(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn quoted(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::String(text) if text.chars().count() > MAX_QUOTED => {
            let start: String = text.chars().take(MAX_QUOTED).collect();
            format!("{:?}", format!("{start}…"))
        }
        other => other.to_string(),
    }
}

/// The known field that was probably meant.
fn suggestion(name: &str, schema: &Value) -> String {
    let known = schema["properties"].as_object().into_iter().flat_map(Map::keys);
    let lower = name.to_lowercase();
    // A third of a short name is another name already.
    let most = (name.chars().count() / 3).max(1);
    let close = known
        .map(|known| (strsim::damerau_levenshtein(&lower, &known.to_lowercase()), known))
        .filter(|(distance, _)| *distance <= most)
        .min();
    close.map(|(_, known)| format!(", did you mean {known:?}?")).unwrap_or_default()
}
