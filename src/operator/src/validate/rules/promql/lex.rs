//! Text -> tokens, each with its place (prometheus/prometheus, promql/parser/lex.go). Keywords
//! stay words here: whether `sum` is an aggregation or a metric depends on what follows.

use super::{Dialect, Fault};

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name, keyword or function.
    Word,
    Number,
    Duration,
    Text,
    /// An operator, bracket or comma, told apart by its text.
    Sign,
    /// A word in which Grafana will replace a variable.
    Variable,
    End,
}

/// A token and its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// All tokens of a text, the last one being [`Kind::End`].
pub(super) fn tokens(text: &str, dialect: Dialect) -> Result<Vec<Token>, Fault> {
    let mut lexer = Lexer { text, at: 0, dialect, braces: false, brackets: false };
    let mut found = Vec::new();
    loop {
        lexer.skip_blank();
        let start = lexer.at;
        let kind = lexer.next()?;
        found.push(Token { kind, start, end: lexer.at });
        if kind == Kind::End {
            return Ok(found);
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    dialect: Dialect,
    braces: bool,
    brackets: bool,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Skips white space and comments.
    fn skip_blank(&mut self) {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
            let rest = &rest[blank..];
            let comment =
                if rest.starts_with('#') { rest.find('\n').unwrap_or(rest.len()) } else { 0 };
            if blank + comment == 0 {
                return;
            }
            self.at += blank + comment;
        }
    }

    fn next(&mut self) -> Result<Kind, Fault> {
        let Some(first) = self.peek() else {
            return Ok(Kind::End);
        };
        if matches!(first, '"' | '\'' | '`') {
            return self.quoted(first);
        }
        let length = self.word_length();
        if length > 0 {
            return self.word(length);
        }
        self.sign(first)
    }

    /// Bytes of the word, number or duration that starts here.
    fn word_length(&self) -> usize {
        let rest = self.rest();
        let mut length = 0;
        while let Some(c) = rest[length..].chars().next() {
            let variable = variable_length(&rest[length..], self.dialect);
            if variable > 0 {
                length += variable;
            } else if self.continues(c, &rest[..length], &rest[length..]) {
                length += c.len_utf8();
            } else {
                break;
            }
        }
        length
    }

    /// Whether `c` goes on the word read so far.
    fn continues(&self, c: char, so_far: &str, rest: &str) -> bool {
        let number = so_far.starts_with(|c: char| c.is_ascii_digit() || c == '.');
        match c {
            ':' => !self.brackets && !self.braces && !number,
            '.' if so_far.is_empty() => rest[1..].starts_with(|c: char| c.is_ascii_digit()),
            '.' => number,
            // The sign of an exponent; `0x1e+1` is a sum.
            '+' | '-' => {
                number
                    && so_far.ends_with(['e', 'E'])
                    && !so_far.starts_with("0x")
                    && !so_far.starts_with("0X")
            }
            c => c.is_ascii_alphanumeric() || c == '_',
        }
    }

    fn word(&mut self, length: usize) -> Result<Kind, Fault> {
        let start = self.at;
        let word = &self.text[start..start + length];
        self.at += length;
        if self.dialect == Dialect::Grafana && (word.contains('$') || word.contains("[[")) {
            return Ok(Kind::Variable);
        }
        if !word.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            let number = word.eq_ignore_ascii_case("inf") || word.eq_ignore_ascii_case("nan");
            return Ok(if number && !self.braces { Kind::Number } else { Kind::Word });
        }
        if is_number(word) {
            Ok(Kind::Number)
        } else if super::ranges::is_duration(word) {
            Ok(Kind::Duration)
        } else {
            Err(Fault::new(start, format!("bad number or duration \"{word}\"")))
        }
    }

    fn sign(&mut self, first: char) -> Result<Kind, Fault> {
        let rest = self.rest();
        let pair = ["==", "!=", "<=", ">=", "</", ">/", "=~", "!~"]
            .into_iter()
            .find(|p| rest.starts_with(p));
        let matching = matches!(pair, Some("=~" | "!~"));
        if first == '!' && pair.is_none() || matching && !self.braces {
            let shown = pair.unwrap_or("!");
            return Err(Fault::new(self.at, format!("unexpected \"{shown}\"")));
        }
        if pair.is_none() && !"(){}[],:@=<>+-*/%^".contains(first) {
            return Err(Fault::new(self.at, format!("unexpected character {first:?}")));
        }
        match first {
            '{' => self.braces = true,
            '}' => self.braces = false,
            '[' => self.brackets = true,
            ']' => self.brackets = false,
            _ => {}
        }
        self.at += pair.map_or(first.len_utf8(), str::len);
        Ok(Kind::Sign)
    }

    /// A string; the whole of it is one token, quotes included.
    fn quoted(&mut self, quote: char) -> Result<Kind, Fault> {
        let start = self.at;
        let mut chars = self.rest().char_indices().skip(1);
        while let Some((i, c)) = chars.next() {
            if c == quote {
                self.at = start + i + 1;
                return Ok(Kind::Text);
            }
            if c == '\n' && quote != '`' {
                break;
            }
            if c == '\\' && quote != '`' && chars.next().is_none() {
                break;
            }
        }
        Err(Fault::new(start, "unterminated string"))
    }
}

/// Bytes of the Grafana variable that the text starts with: `$name`, `${name}`, `${name:format}`
/// or `[[name]]`; 0 if it starts with none.
fn variable_length(text: &str, dialect: Dialect) -> usize {
    if dialect != Dialect::Grafana {
        return 0;
    }
    let closed = |open: &str, close: &str| {
        let inner = text.strip_prefix(open)?;
        let end = inner.find(close)?;
        (end > 0 && !inner[..end].contains(|c: char| c == '[' || c.is_whitespace()))
            .then_some(open.len() + end + close.len())
    };
    if let Some(length) = closed("${", "}").or_else(|| closed("[[", "]]")) {
        return length;
    }
    let Some(name) = text.strip_prefix('$') else {
        return 0;
    };
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let length = name.len() - name.trim_start_matches(word).len();
    if length == 0 { 0 } else { length + 1 }
}

/// Prometheus' float literals: decimal with exponent or hexadecimal, underscores between digits.
fn is_number(word: &str) -> bool {
    let digits = |s: &str| s.chars().all(|c| c.is_ascii_digit() || c == '_');
    if word.contains("__") || word.ends_with('_') {
        return false;
    }
    if let Some(hex) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        return !hex.is_empty() && hex.chars().all(|c| c.is_ascii_hexdigit() || c == '_');
    }
    let (mantissa, exponent) = match word.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (word, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let signless = exponent.map(|e| e.strip_prefix(['+', '-']).unwrap_or(e));
    digits(whole)
        && digits(fraction)
        && whole.len() + fraction.len() > 0
        && signless.is_none_or(|e| !e.is_empty() && digits(e))
        // Prometheus refuses what overflows; `Inf` is a word of its own.
        && word.replace('_', "").parse::<f64>().is_ok_and(f64::is_finite)
}
