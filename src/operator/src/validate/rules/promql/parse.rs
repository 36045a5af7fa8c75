//! Tokens -> verdict: a recursive descent over PromQL's grammar that checks types as it goes
//! (prometheus/prometheus, promql/parser/generated_parser.y and parse.go). It builds no tree:
//! what it carries upwards is an operand's type, shape and place.

mod braces;
mod calls;
mod modifiers;

use super::lex::{Kind, Token};
use super::types::{Class, Operand, POWER, Shape, Type, operator};
use super::{Dialect, Fault, MAX_DEPTH};

/// Words that are never a metric's name where an operand is expected.
const RESERVED: &[&str] = &["atan2", "bool", "group_left", "group_right", "ignoring", "on"];

/// Reads a whole text as one expression.
pub(super) fn expression(text: &str, tokens: &[Token], dialect: Dialect) -> Result<(), Fault> {
    let mut parser = Parser { text, tokens, next: 0, depth: 0, bare: false, dialect };
    if parser.peek().kind == Kind::End {
        return Err(Fault::new(0, "the expression is empty"));
    }
    parser.binary(0)?;
    parser.end()
}

/// The tokens and how far they were read.
struct Parser<'a> {
    text: &'a str,
    tokens: &'a [Token],
    next: usize,
    depth: usize,
    /// The next selector may select everything: the second argument of `info`.
    bare: bool,
    dialect: Dialect,
}

impl<'a> Parser<'a> {
    /// The next token; the last one for ever at the end.
    fn peek(&self) -> Token {
        self.ahead(0)
    }

    fn ahead(&self, by: usize) -> Token {
        let end = Token { kind: Kind::End, start: self.text.len(), end: self.text.len() };
        self.tokens.get(self.next + by).copied().unwrap_or(end)
    }

    fn take(&mut self) -> Token {
        let token = self.peek();
        self.next += 1;
        token
    }

    fn text_of(&self, token: Token) -> &'a str {
        self.text.get(token.start..token.end).unwrap_or("")
    }

    /// Whether the next token is this operator or bracket.
    fn is_sign(&self, sign: &str) -> bool {
        self.peek().kind == Kind::Sign && self.text_of(self.peek()) == sign
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign(sign);
        self.next += usize::from(found);
        found
    }

    /// The next token in lower case if it is a word: keywords are not case-sensitive.
    fn keyword(&self, by: usize) -> Option<String> {
        let token = self.ahead(by);
        (token.kind == Kind::Word).then(|| self.text_of(token).to_ascii_lowercase())
    }

    /// Steps over one of these keywords.
    fn take_keyword(&mut self, words: &[&str]) -> Option<String> {
        let word = self.keyword(0).filter(|word| words.contains(&word.as_str()))?;
        self.next += 1;
        Some(word)
    }

    /// "unexpected x, expected y" at the next token.
    fn unexpected(&self, expected: &str) -> Fault {
        let token = self.peek();
        let what = match token.kind {
            Kind::End => "end of expression".to_owned(),
            Kind::Text => format!("string {}", self.text_of(token)),
            _ => format!("\"{}\"", self.text_of(token)),
        };
        Fault::new(token.start, format!("unexpected {what}, expected {expected}"))
    }

    /// Steps over the bracket that closes the one at `open`.
    fn close(&mut self, open: Token, sign: &str, expected: &str) -> Result<(), Fault> {
        if self.take_sign(sign) {
            return Ok(());
        }
        // At the end the reader needs the bracket that was left open, not the end.
        if self.peek().kind == Kind::End {
            return Err(Fault::new(
                open.start,
                format!("\"{}\" is never closed", self.text_of(open)),
            ));
        }
        Err(self.unexpected(expected))
    }

    fn end(&self) -> Result<(), Fault> {
        match (self.peek().kind, self.text_of(self.peek())) {
            (Kind::End, _) => Ok(()),
            (Kind::Sign, sign @ (")" | "}" | "]")) => {
                Err(Fault::new(self.peek().start, format!("unexpected \"{sign}\"")))
            }
            _ => Err(self.unexpected("an operator")),
        }
    }

    /// Runs `read` one level deeper.
    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Fault>) -> Result<T, Fault> {
        if self.depth >= MAX_DEPTH {
            let message = format!("nested more than {MAX_DEPTH} levels deep");
            return Err(Fault::new(self.peek().start, message));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    /// An expression whose operators bind at least as tightly as `least`.
    fn binary(&mut self, least: u8) -> Result<Operand, Fault> {
        let mut left = self.deeper(Self::unary)?;
        while let Some((precedence, class)) = self.operator() {
            if precedence < least {
                break;
            }
            let sign = self.take();
            let matching = self.matching()?;
            let tighter = if precedence == POWER { POWER } else { precedence + 1 };
            let right = self.deeper(|parser| parser.binary(tighter))?;
            left = self.combine(left, sign, class, &matching, right)?;
        }
        Ok(left)
    }

    fn operator(&self) -> Option<(u8, Class)> {
        match self.peek().kind {
            Kind::Sign | Kind::Word => operator(&self.text_of(self.peek()).to_ascii_lowercase()),
            _ => None,
        }
    }

    /// Signs, then an operand with its modifiers. A sign binds like `*`: `-x ^ 2` is `-(x ^ 2)`.
    fn unary(&mut self) -> Result<Operand, Fault> {
        let start = self.peek().start;
        if !(self.take_sign("-") || self.take_sign("+")) {
            let operand = self.operand()?;
            return self.modified(operand);
        }
        let operand = self.binary(POWER)?;
        if !operand.kind.is_number() {
            let got = operand.kind.word();
            return Err(Fault::new(
                operand.start,
                format!("a sign needs a scalar or instant vector, not {got}"),
            ));
        }
        Ok(Operand::new(Shape::Other, operand.kind, start))
    }

    /// An operand without its modifiers.
    fn operand(&mut self) -> Result<Operand, Fault> {
        let token = self.peek();
        match token.kind {
            Kind::Number | Kind::Duration => {
                self.take();
                Ok(Operand::new(Shape::Other, Type::Scalar, token.start))
            }
            Kind::Text => {
                self.string()?;
                Ok(Operand::new(Shape::Other, Type::Text, token.start))
            }
            Kind::Variable => self.variable(),
            Kind::Word => self.word(),
            Kind::Sign if self.is_sign("(") => self.parenthesis(),
            Kind::Sign if self.is_sign("{") => self.selector(None),
            _ => Err(self.unexpected("an expression")),
        }
    }

    fn parenthesis(&mut self) -> Result<Operand, Fault> {
        let open = self.take();
        let inner = self.binary(0)?;
        self.close(open, ")", "an operator or \")\"")?;
        Ok(Operand::new(Shape::Other, inner.kind, open.start))
    }

    /// A function call, an aggregation or a selector.
    fn word(&mut self) -> Result<Operand, Fault> {
        let word = self.keyword(0).unwrap_or_default();
        let call = self.text_of(self.ahead(1)) == "(";
        if let Some(parameter) = super::functions::aggregation(&word) {
            let grouped = matches!(self.keyword(1).as_deref(), Some("by" | "without"));
            if call || grouped {
                return self.aggregation(parameter);
            }
        }
        if call {
            return self.call();
        }
        if RESERVED.contains(&word.as_str()) {
            return Err(self.unexpected("an expression"));
        }
        let name = self.take();
        self.selector(Some(name))
    }

    /// A variable stands for a value, a metric or a function.
    fn variable(&mut self) -> Result<Operand, Fault> {
        let token = self.take();
        if self.is_sign("(") {
            self.arguments(|_| None)?;
        } else if self.is_sign("{") {
            return self.selector(Some(token));
        }
        Ok(Operand::new(Shape::Selector, Type::Any, token.start))
    }
}
