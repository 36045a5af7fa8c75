//! A trace as Jaeger's query API tells it, and as a tree of text. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

/// One span.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Hex.
    pub id: String,
    /// The id of its parent; none of a root.
    pub parent: Option<String>,
    /// `service.name` of who made it.
    pub service: String,
    /// What it is called.
    pub name: String,
    /// Microseconds since 1970.
    pub start: u64,
    /// How long it took.
    pub duration: Duration,
    /// Its attributes.
    pub tags: BTreeMap<String, Value>,
    /// Attributes of the process that made it, such as `service.instance.id`.
    pub process: BTreeMap<String, Value>,
}

/// A trace, its spans by their start.
#[derive(Debug, Clone, PartialEq)]
pub struct Trace {
    /// Hex.
    pub id: String,
    /// All spans that arrived so far.
    pub spans: Vec<Span>,
}

impl Trace {
    /// From one entry of `data` of `/api/traces`.
    #[must_use]
    pub fn read(trace: &Value) -> Self {
        let spans = trace["spans"].as_array().into_iter().flatten();
        let mut spans: Vec<Span> = spans.map(|it| span(it, &trace["processes"])).collect();
        spans.sort_by_key(|span| span.start);
        Self { id: text(&trace["traceID"]), spans }
    }

    /// The first span of this name.
    #[must_use]
    pub fn span(&self, name: &str) -> Option<&Span> {
        self.spans.iter().find(|span| span.name == name)
    }

    /// The span above another one, when it is there.
    #[must_use]
    pub fn parent(&self, span: &Span) -> Option<&Span> {
        self.spans.iter().find(|it| Some(&it.id) == span.parent.as_ref())
    }

    /// Whether one span has no parent, and every other one's is there.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let roots = self.spans.iter().filter(|span| span.parent.is_none()).count();
        let known = |span: &&Span| span.parent.is_none() || self.parent(span).is_some();
        roots == 1 && self.spans.iter().all(|span| known(&span))
    }

    /// A line for each span below its parent: service, name, duration, and the tags of these names.
    #[must_use]
    pub fn tree(&self, tags: &[&str]) -> String {
        let mut out = String::new();
        let above = |span: &&Span| self.parent(span).is_none();
        for root in self.spans.iter().filter(above) {
            self.branch(root, "", "", tags, &mut out);
        }
        out
    }

    fn branch(&self, span: &Span, first: &str, rest: &str, tags: &[&str], out: &mut String) {
        let shown = tags.iter().filter_map(|tag| Some((tag, span.tags.get(*tag)?)));
        let shown: String = shown.map(|(tag, value)| format!("  {tag}={}", bare(value))).collect();
        let milliseconds = span.duration.as_secs_f64() * 1000.0;
        let Span { service, name, .. } = span;
        out.push_str(&format!("{first}{service}: {name}  {milliseconds:.1} ms{shown}\n"));
        let below: Vec<&Span> =
            self.spans.iter().filter(|it| it.parent.as_ref() == Some(&span.id)).collect();
        for (index, child) in below.iter().enumerate() {
            let (branch, go_on) =
                if index + 1 == below.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
            let (first, next) = (format!("{rest}{branch}"), format!("{rest}{go_on}"));
            self.branch(child, &first, &next, tags, out);
        }
    }
}

fn span(span: &Value, processes: &Value) -> Span {
    let process = &processes[text(&span["processID"])];
    let references = span["references"].as_array().into_iter().flatten();
    let mut parents = references.filter(|it| it["refType"] == "CHILD_OF");
    Span {
        id: text(&span["spanID"]),
        parent: parents.next().map(|reference| text(&reference["spanID"])),
        service: text(&process["serviceName"]),
        name: text(&span["operationName"]),
        start: span["startTime"].as_u64().unwrap_or_default(),
        duration: Duration::from_micros(span["duration"].as_u64().unwrap_or_default()),
        tags: tags(&span["tags"]),
        process: tags(&process["tags"]),
    }
}

fn tags(list: &Value) -> BTreeMap<String, Value> {
    let tags = list.as_array().into_iter().flatten();
    tags.map(|tag| (text(&tag["key"]), tag["value"].clone())).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Text without its quotes.
fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

#[cfg(test)]
mod tests;
