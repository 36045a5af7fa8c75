//! How large a configuration may be to be looked at at all. Checked before anything else, so that
//! the rest may recurse, copy and name paths without a thought.

use crate::problem::{Code, Problem};
use crate::value::{MAX_DEPTH, Value};

/// Most values: lists, maps and what is in them. A large configuration has some thousands; a
/// megabyte of JSON could have half a million, each many times the size of its text.
const MAX_VALUES: usize = 100_000;

/// Longest path in bytes. A component's name has at most 1024 (otelcol component.ID); the keys
/// around it and attributes of ordinary length fit beside it. Every problem holds a path.
const MAX_PATH_BYTES: usize = 4096;

/// What is too large about a configuration.
pub(super) fn exceeded(raw: &Value) -> Option<Problem> {
    let mut bounds = Bounds { path: String::new(), values: 0 };
    bounds.value(raw, 0).err().map(|message| Problem::new(bounds.path, Code::TooLarge, message))
}

struct Bounds {
    path: String,
    values: usize,
}

impl Bounds {
    /// Where it fails, the path stays where it is.
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), String> {
        self.values += 1;
        if self.values > MAX_VALUES {
            self.path.clear();
            return Err(format!("more than {MAX_VALUES} values"));
        }
        let nested = matches!(value, Value::List(_) | Value::Map(_));
        if nested && depth >= MAX_DEPTH {
            return Err(format!("nested deeper than {MAX_DEPTH} levels"));
        }
        let before = self.path.len();
        if let Value::List(list) = value {
            for (index, item) in list.iter().enumerate() {
                self.enter(&format!("[{index}]"))?;
                self.value(item, depth + 1)?;
                self.path.truncate(before);
            }
        }
        for (key, item) in value.entries() {
            self.enter(&if before == 0 { key.clone() } else { format!(".{key}") })?;
            self.value(item, depth + 1)?;
            self.path.truncate(before);
        }
        Ok(())
    }

    fn enter(&mut self, step: &str) -> Result<(), String> {
        if self.path.len() + step.len() > MAX_PATH_BYTES {
            return Err(format!("keys below here make a path longer than {MAX_PATH_BYTES} bytes"));
        }
        self.path.push_str(step);
        Ok(())
    }
}
