//! Selectors: `name{label="value"}`, their matchers and the strings in them.

use super::super::lex::Kind;
use super::super::lex::Token;
use super::super::regex;
use super::super::types::{Operand, Shape, Type};
use super::super::{Dialect, Fault};
use super::Parser;

/// Longest regular expression in a matcher, in bytes.
const MAX_PATTERN: usize = 16 * 1024;

/// What a selector's matchers say together.
#[derive(Default)]
struct Matchers {
    /// One of them refuses the empty value, so that not everything is selected.
    narrow: bool,
    /// One of them names the metric, here.
    named: Option<usize>,
}

impl Parser<'_> {
    /// A selector whose name, if it has one outside the braces, was read.
    pub(super) fn selector(&mut self, name: Option<Token>) -> Result<Operand, Fault> {
        let start = name.map_or(self.peek().start, |name| name.start);
        let bare = std::mem::take(&mut self.bare);
        let matchers = if self.is_sign("{") { self.matchers()? } else { Matchers::default() };
        if let (Some(_), Some(at)) = (name, matchers.named) {
            return Err(Fault::new(at, "the metric's name is given twice"));
        }
        if name.is_none() && !matchers.narrow && !bare {
            let message = "a selector needs a name or a matcher that refuses the empty value";
            return Err(Fault::new(start, message));
        }
        Ok(Operand::new(Shape::Selector, Type::Vector, start))
    }

    fn matchers(&mut self) -> Result<Matchers, Fault> {
        let open = self.take();
        let mut found = Matchers::default();
        while !self.is_sign("}") {
            if self.peek().kind == Kind::End {
                break;
            }
            self.matcher(&mut found)?;
            // `or` between matchers is a proposal that promql-parser reads and Prometheus does not.
            if !self.take_sign(",") {
                break;
            }
        }
        self.close(open, "}", "\",\" or \"}\"")?;
        Ok(found)
    }

    /// `label="value"`, `"label"="value"` or, as Prometheus 3 writes a name, `"metric.name"`.
    fn matcher(&mut self, found: &mut Matchers) -> Result<(), Fault> {
        let token = self.peek();
        let name = match token.kind {
            Kind::Text => self.string()?,
            Kind::Word | Kind::Variable => {
                self.take();
                self.text_of(token).to_owned()
            }
            _ => return Err(self.unexpected("a label or \"}\"")),
        };
        let sign = ["=", "!=", "=~", "!~"].into_iter().find(|sign| self.take_sign(sign));
        let Some(sign) = sign else {
            if token.kind == Kind::Word {
                return Err(self.unexpected("\"=\", \"!=\", \"=~\" or \"!~\""));
            }
            found.narrow = true;
            found.named = (token.kind == Kind::Text).then_some(token.start).or(found.named);
            return Ok(());
        };
        if name == "__name__" {
            found.named = Some(token.start);
        }
        found.narrow |= self.value(sign)?;
        Ok(())
    }

    /// The value of a matcher; whether the matcher refuses the empty value.
    fn value(&mut self, sign: &str) -> Result<bool, Fault> {
        let token = self.peek();
        if token.kind == Kind::Variable {
            self.take();
            return Ok(true);
        }
        if token.kind != Kind::Text {
            return Err(self.unexpected("a string in quotes"));
        }
        let value = self.string()?;
        let varies =
            self.dialect == Dialect::Grafana && (value.contains('$') || value.contains("[["));
        if !sign.contains('~') || varies {
            return Ok(varies || (sign == "=") != value.is_empty());
        }
        let broken =
            |why: String| Fault::new(token.start, format!("invalid regular expression: {why}"));
        if value.len() > MAX_PATTERN {
            return Err(broken(format!("longer than {MAX_PATTERN} bytes")));
        }
        let empty = regex::check(&value).map_err(broken)?;
        Ok((sign == "=~") != empty)
    }

    /// Steps over a string and gives its value, escapes resolved as Go does.
    pub(super) fn string(&mut self) -> Result<String, Fault> {
        let token = self.take();
        let raw = self.text_of(token);
        let inner = raw.get(1..raw.len().saturating_sub(1)).unwrap_or("");
        if raw.starts_with('`') {
            return Ok(inner.to_owned());
        }
        let quote = raw.chars().next().unwrap_or('"');
        let mut value = String::new();
        let mut rest = inner;
        while let Some(c) = rest.chars().next() {
            let at = token.start + 1 + inner.len() - rest.len();
            rest = &rest[c.len_utf8()..];
            value.push(match c {
                '\\' => escaped(&mut rest, quote).ok_or_else(|| {
                    let shown: String = rest.chars().take(1).collect();
                    let hint = r#"(a backslash is written "\\")"#;
                    Fault::new(at, format!("invalid escape \"\\{shown}\" in a string {hint}"))
                })?,
                other => other,
            });
        }
        Ok(value)
    }
}

/// The character after a backslash; `rest` is moved behind it when it is valid.
fn escaped(rest: &mut &str, quote: char) -> Option<char> {
    let first = rest.chars().next()?;
    let (value, length) = match first {
        'a' => ('\u{7}', 1),
        'b' => ('\u{8}', 1),
        'f' => ('\u{c}', 1),
        'n' => ('\n', 1),
        'r' => ('\r', 1),
        't' => ('\t', 1),
        'v' => ('\u{b}', 1),
        '\\' => ('\\', 1),
        'x' => (code(rest.get(1..3)?, 16)?, 3),
        'u' => (code(rest.get(1..5)?, 16)?, 5),
        'U' => (code(rest.get(1..9)?, 16)?, 9),
        '0'..='3' => (code(rest.get(..3)?, 8)?, 3),
        other if other == quote => (quote, 1),
        _ => return None,
    };
    *rest = rest.get(length..)?;
    Some(value)
}

fn code(digits: &str, radix: u32) -> Option<char> {
    let digits = digits.chars().all(|c| c.is_digit(radix)).then_some(digits)?;
    char::from_u32(u32::from_str_radix(digits, radix).ok()?)
}
