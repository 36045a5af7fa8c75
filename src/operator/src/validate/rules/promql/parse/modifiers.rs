//! What stands behind or between operands: ranges, `offset`, `@`, and how vectors match.

use super::super::lex::{Kind, Token};
use super::super::types::{Class, Operand, Shape, Type};
use super::super::{Fault, ranges};
use super::Parser;

/// How the two sides of an operator match.
#[derive(Default)]
pub(super) struct Matching {
    /// Where `bool` stands.
    boolean: Option<usize>,
    /// Where `on` or `ignoring` stands, if it has labels.
    labels: Option<usize>,
    /// Where `group_left` or `group_right` stands.
    group: Option<usize>,
    /// Where `fill` stands.
    fill: Option<usize>,
    /// A label named by `on` and by the group clause.
    twice: Option<String>,
}

impl Parser<'_> {
    /// Ranges, `offset`, `@`, `anchored` and `smoothed` behind an operand.
    pub(super) fn modified(&mut self, mut operand: Operand) -> Result<Operand, Fault> {
        loop {
            if self.is_sign("[") {
                operand = self.range(operand)?;
            } else if self.keyword(0).as_deref() == Some("offset") {
                operand.offset = self.shift(&operand, operand.offset, "offset")?;
                self.offset()?;
            } else if self.is_sign("@") {
                operand.at = self.shift(&operand, operand.at, "@")?;
                self.instant()?;
            } else if self.take_keyword(&["anchored", "smoothed"]).is_none() {
                return Ok(operand);
            }
        }
    }

    /// Steps over `offset` or `@` where it may stand.
    fn shift(&mut self, operand: &Operand, already: bool, word: &str) -> Result<bool, Fault> {
        let token = self.take();
        if operand.shape == Shape::Other {
            let message = format!("\"{word}\" needs a selector or subquery before it");
            return Err(Fault::new(token.start, message));
        }
        if already {
            return Err(Fault::new(token.start, format!("\"{word}\" is given twice")));
        }
        Ok(true)
    }

    /// `[5m]` or `[1h:5m]`.
    fn range(&mut self, operand: Operand) -> Result<Operand, Fault> {
        let open = self.take();
        self.duration(0, true)?;
        if self.take_sign(":") {
            if !self.is_sign("]") {
                self.duration(0, true)?;
            }
            self.close(open, "]", "a duration or \"]\"")?;
            if !operand.kind.fits(Type::Vector) {
                let got = operand.kind.word();
                return Err(Fault::new(
                    open.start,
                    format!("a subquery needs an instant vector, not {got}"),
                ));
            }
            return Ok(Operand::new(Shape::Subquery, Type::Range, operand.start));
        }
        self.close(open, "]", "\":\" or \"]\"")?;
        let problem = match operand {
            Operand { shape, .. } if shape != Shape::Selector => {
                "a range needs a selector before it (a subquery is written [1h:5m])"
            }
            Operand { offset: true, .. } => "the range goes before \"offset\"",
            Operand { at: true, .. } => "the range goes before \"@\"",
            _ => return Ok(Operand::new(Shape::Range, Type::Range, operand.start)),
        };
        Err(Fault::new(open.start, problem))
    }

    /// A duration, or arithmetic on durations. `positive`: a literal may not be zero.
    fn duration(&mut self, least: u8, positive: bool) -> Result<(), Fault> {
        self.deeper(|parser| parser.duration_operand(positive))?;
        while let Some((precedence, Class::Arithmetic)) = self.operator() {
            if precedence < least {
                break;
            }
            self.take();
            self.deeper(|parser| parser.duration(precedence + 1, false))?;
        }
        Ok(())
    }

    fn duration_operand(&mut self, positive: bool) -> Result<(), Fault> {
        let token = self.peek();
        let text = self.text_of(token);
        match token.kind {
            Kind::Duration | Kind::Number => {
                if let Some(problem) = length_problem(token.kind, text, positive) {
                    return Err(Fault::new(token.start, problem));
                }
                self.take();
            }
            Kind::Variable => {
                self.take();
            }
            Kind::Word if self.text_of(self.ahead(1)) == "(" => self.duration_call()?,
            Kind::Sign if self.is_sign("(") => {
                self.take();
                self.duration(0, false)?;
                self.close(token, ")", "\")\"")?;
            }
            Kind::Sign if matches!(text, "+" | "-") => {
                self.take();
                self.duration_operand(false)?;
                if positive && text == "-" && (self.is_sign("]") || self.is_sign(":")) {
                    let message = "the duration must be greater than 0";
                    return Err(Fault::new(token.start, message));
                }
            }
            _ => return Err(self.unexpected("a duration such as 5m")),
        }
        Ok(())
    }

    /// `step()`, `range()`, `min_of(a, b)`, `max_of(a, b)` among durations, which Prometheus
    /// called `min` and `max` at first.
    fn duration_call(&mut self) -> Result<(), Fault> {
        let wanted = match self.keyword(0).as_deref() {
            Some("step" | "range") => 0,
            Some("min" | "max" | "min_of" | "max_of") => 2,
            _ => return Err(self.unexpected("a duration such as 5m")),
        };
        self.take();
        let open = self.take();
        for index in 0..wanted {
            if index > 0 && !self.take_sign(",") {
                return Err(self.unexpected("\",\""));
            }
            self.duration(0, false)?;
        }
        self.close(open, ")", "\")\"")
    }

    /// What follows `offset`. Its arithmetic stands in parentheses.
    fn offset(&mut self) -> Result<(), Fault> {
        if !self.take_sign("-") {
            self.take_sign("+");
        }
        self.deeper(|parser| parser.duration_operand(false))
    }

    /// What follows `@`: seconds, `start()` or `end()`.
    fn instant(&mut self) -> Result<(), Fault> {
        if self.take_keyword(&["start", "end"]).is_some() {
            return if self.take_sign("(") && self.take_sign(")") {
                Ok(())
            } else {
                Err(self.unexpected("\"()\""))
            };
        }
        if !self.take_sign("-") {
            self.take_sign("+");
        }
        match self.peek().kind {
            Kind::Number | Kind::Variable | Kind::Duration => {
                self.take();
                Ok(())
            }
            _ => Err(self.unexpected("a time in seconds, start() or end()")),
        }
    }

    /// `bool`, `on (…) group_left (…)` and `fill (…)` behind an operator.
    pub(super) fn matching(&mut self) -> Result<Matching, Fault> {
        let mut found = Matching::default();
        let here = self.peek().start;
        found.boolean = self.take_keyword(&["bool"]).map(|_| here);
        let here = self.peek().start;
        let Some(word) = self.take_keyword(&["on", "ignoring"]) else {
            self.fills(&mut found)?;
            return Ok(found);
        };
        let labels = self.labels()?;
        found.labels = (!labels.is_empty()).then_some(here);
        let here = self.peek().start;
        if self.take_keyword(&["group_left", "group_right"]).is_some() {
            found.group = Some(here);
            let include = if self.is_sign("(") { self.labels()? } else { Vec::new() };
            let twice = include.into_iter().find(|label| labels.contains(label));
            found.twice = twice.filter(|_| word == "on");
        }
        self.fills(&mut found)?;
        Ok(found)
    }

    fn fills(&mut self, found: &mut Matching) -> Result<(), Fault> {
        while matches!(self.keyword(0).as_deref(), Some("fill" | "fill_left" | "fill_right"))
            && self.text_of(self.ahead(1)) == "("
        {
            found.fill = Some(self.take().start);
            let open = self.take();
            if !self.take_sign("-") {
                self.take_sign("+");
            }
            if !matches!(self.peek().kind, Kind::Number | Kind::Variable) {
                return Err(self.unexpected("a number"));
            }
            self.take();
            self.close(open, ")", "\")\"")?;
        }
        Ok(())
    }

    /// The result of `left sign right`.
    pub(super) fn combine(
        &self,
        left: Operand,
        sign: Token,
        class: Class,
        matching: &Matching,
        right: Operand,
    ) -> Result<Operand, Fault> {
        let name = self.text_of(sign);
        for side in [&left, &right] {
            if !side.kind.is_number() {
                let got = side.kind.word();
                return Err(Fault::new(
                    side.start,
                    format!("\"{name}\" takes scalars and instant vectors, not {got}"),
                ));
            }
        }
        let scalars = [left, right].iter().filter(|side| side.kind == Type::Scalar).count();
        if let Some((at, message)) = mismatch(name, sign, class, matching, scalars) {
            return Err(Fault::new(at, message));
        }
        let kind = match (left.kind, right.kind) {
            (Type::Scalar, Type::Scalar) => Type::Scalar,
            (Type::Vector, _) | (_, Type::Vector) => Type::Vector,
            _ => Type::Any,
        };
        Ok(Operand::new(Shape::Other, kind, left.start))
    }
}

/// Why an operator may not be used so, given how many of its sides are scalars.
fn mismatch(
    name: &str,
    sign: Token,
    class: Class,
    matching: &Matching,
    scalars: usize,
) -> Option<(usize, String)> {
    let vectors = scalars == 0;
    let set = class == Class::Set;
    if let Some(at) = matching.boolean.filter(|_| class != Class::Comparison) {
        return Some((at, "\"bool\" is for comparisons only".into()));
    }
    if class == Class::Comparison && scalars == 2 && matching.boolean.is_none() {
        return Some((sign.start, format!("comparing two scalars needs \"{name} bool\"")));
    }
    if set && !vectors {
        return Some((sign.start, format!("\"{name}\" takes instant vectors, not a scalar")));
    }
    if let Some(at) = matching.labels.or(matching.fill).filter(|_| !vectors) {
        return Some((at, "matching is for two instant vectors only".into()));
    }
    if let Some(at) = matching.group.or(matching.fill).filter(|_| set) {
        return Some((at, format!("\"{name}\" takes no grouping or filling")));
    }
    let label = matching.twice.as_ref()?;
    Some((sign.start, format!("label \"{label}\" stands in the on and the group clause")))
}

/// What is wrong with a literal as a duration. `positive`: it may not be zero.
fn length_problem(kind: Kind, text: &str, positive: bool) -> Option<&'static str> {
    let seconds = match kind {
        Kind::Duration => ranges::milliseconds(text).map(|ms| ms as f64 / 1_000.0),
        _ => text.parse::<f64>().ok(),
    };
    match seconds {
        Some(seconds) if positive && seconds <= 0.0 => Some("the duration must be greater than 0"),
        Some(seconds) if seconds > ranges::MOST_SECONDS => Some("the duration is too long"),
        _ => None,
    }
}
