//! Reading a file. Events are looked at before anything is built from them, so that a document
//! cannot grow beyond its text, and every refusal names its line.

use std::collections::HashSet;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::scalar::resolve;
use crate::problem::{Code, Problem};
use crate::value::{MAX_DEPTH, Value};

/// Largest document: a ConfigMap holds no more.
pub const MAX_DOCUMENT_BYTES: usize = 1024 * 1024;

/// Reads one document.
///
/// # Errors
/// The text is no YAML; or it has aliases, merge keys, duplicate keys, foreign tags, several
/// documents, or is too large or too deep.
pub fn parse(text: &str) -> Result<Value, Problem> {
    if text.len() > MAX_DOCUMENT_BYTES {
        let message = format!("{} bytes, more than {MAX_DOCUMENT_BYTES}", text.len());
        return Err(Problem::new("", Code::TooLarge, message));
    }
    let mut builder = Builder::default();
    for step in Parser::new_from_str(text) {
        let (event, span) = step.map_err(|error| {
            let at = error.marker();
            // The parser's own limit, met where it has to look far ahead.
            if error.info().contains("recursion limit") {
                return too_deep(at.line(), at.col());
            }
            place(at.line(), at.col(), Code::Syntax, error.info().to_owned())
        })?;
        builder.event(event, &span)?;
    }
    Ok(builder.result.unwrap_or_default())
}

fn place(line: usize, column: usize, code: Code, message: impl Into<String>) -> Problem {
    Problem::new(format!("line {line}, column {}", column + 1), code, message)
}

fn too_deep(line: usize, column: usize) -> Problem {
    place(line, column, Code::TooLarge, format!("nested deeper than {MAX_DEPTH} levels"))
}

fn refuse(span: &Span, message: impl Into<String>) -> Problem {
    place(span.start.line(), span.start.col(), Code::Syntax, message)
}

/// A list or map that is not closed yet.
enum Open {
    List(Vec<Value>),
    Map { entries: Vec<(String, Value)>, keys: HashSet<String>, key: Option<String> },
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    documents: usize,
    result: Option<Value>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), Problem> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    return Err(refuse(span, "a second document: a configuration is one"));
                }
                Ok(())
            }
            Event::Alias(_) => {
                Err(refuse(span, "an alias: write the value out (aliases are refused)"))
            }
            Event::Scalar(text, ScalarStyle::Plain, _, None)
                if text == "<<" && self.wants_key() =>
            {
                Err(refuse(span, "a merge key: write the values out (merging is refused)"))
            }
            Event::Scalar(text, style, _, tag) => {
                let value = scalar(&text, style, tag.as_deref(), span)?;
                self.value(value, span)
            }
            Event::SequenceStart(_, tag) => {
                collection_tag(tag.as_deref(), "seq", span)?;
                self.start(Open::List(Vec::new()), span)
            }
            Event::MappingStart(_, tag) => {
                collection_tag(tag.as_deref(), "map", span)?;
                let map = Open::Map { entries: Vec::new(), keys: HashSet::new(), key: None };
                self.start(map, span)
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn wants_key(&self) -> bool {
        matches!(self.open.last(), Some(Open::Map { key: None, .. }))
    }

    fn start(&mut self, open: Open, span: &Span) -> Result<(), Problem> {
        if self.wants_key() {
            return Err(refuse(span, "a key that is a list or a map"));
        }
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(span.start.line(), span.start.col()));
        }
        self.open.push(open);
        Ok(())
    }

    fn end(&mut self, span: &Span) -> Result<(), Problem> {
        let value = match self.open.pop() {
            Some(Open::List(list)) => Value::List(list),
            Some(Open::Map { entries, .. }) => Value::Map(entries),
            None => return Err(refuse(span, "an end without a beginning")),
        };
        self.value(value, span)
    }

    fn value(&mut self, value: Value, span: &Span) -> Result<(), Problem> {
        match self.open.last_mut() {
            None => self.result = Some(value),
            Some(Open::List(list)) => list.push(value),
            Some(Open::Map { entries, keys, key }) => match key.take() {
                Some(key) => entries.push((key, value)),
                None => {
                    let name = key_text(value, span)?;
                    if !keys.insert(name.clone()) {
                        return Err(refuse(span, format!("the key {name:?} stands twice")));
                    }
                    *key = Some(name);
                }
            },
        }
        Ok(())
    }
}

fn scalar(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
    span: &Span,
) -> Result<Value, Problem> {
    let plain = matches!(style, ScalarStyle::Plain);
    let Some(tag) = tag else {
        return Ok(if plain { resolve(text) } else { Value::String(text.to_owned()) });
    };
    match (tag.is_yaml_core_schema(), tag.suffix.as_str()) {
        (true, "str") => Ok(Value::String(text.to_owned())),
        #[allow(clippy::cast_precision_loss)] // what the tag asks for
        (true, wanted @ ("int" | "float" | "bool" | "null")) => match (wanted, resolve(text)) {
            ("float", Value::Int(number)) => Ok(Value::Float(number as f64)),
            ("int", value @ Value::Int(_))
            | ("float", value @ Value::Float(_))
            | ("bool", value @ Value::Bool(_))
            | ("null", value @ Value::Null) => Ok(value),
            _ => Err(refuse(span, format!("{text:?} is no !!{wanted}"))),
        },
        _ => Err(foreign_tag(tag, span)),
    }
}

fn collection_tag(tag: Option<&Tag>, core: &str, span: &Span) -> Result<(), Problem> {
    match tag {
        Some(tag) if !(tag.is_yaml_core_schema() && tag.suffix == core) => {
            Err(foreign_tag(tag, span))
        }
        _ => Ok(()),
    }
}

fn foreign_tag(tag: &Tag, span: &Span) -> Problem {
    refuse(span, format!("the tag {}{} is not of YAML's core schema", tag.handle, tag.suffix))
}

/// Keys are text to a configuration, whatever they look like.
fn key_text(value: Value, span: &Span) -> Result<String, Problem> {
    match value {
        Value::String(text) => Ok(text),
        Value::Bool(value) => Ok(value.to_string()),
        Value::Int(value) => Ok(value.to_string()),
        Value::Float(value) => Ok(value.to_string()),
        _ => Err(refuse(span, "a key that is nothing, a list or a map")),
    }
}
