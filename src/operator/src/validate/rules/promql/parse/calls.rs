//! Function calls and aggregations: their arguments, and whether the types fit.

use super::super::Fault;
use super::super::functions::{Signature, function};
use super::super::lex::Kind;
use super::super::types::{Operand, Shape, Type};
use super::Parser;

impl Parser<'_> {
    /// `name(arguments)`.
    pub(super) fn call(&mut self) -> Result<Operand, Fault> {
        let token = self.take();
        let name = self.text_of(token);
        let Some(signature) = function(name) else {
            return Err(Fault::new(token.start, format!("unknown function \"{name}\"")));
        };
        let info = name == "info";
        let takes = &signature.takes;
        let arguments = self.arguments(|index| (info && index == 1).then_some(()))?;
        count(&signature, name, token.start, arguments.len())?;
        for (index, argument) in arguments.iter().enumerate() {
            let wanted = takes.get(index).or(takes.last()).copied().unwrap_or(Type::Any);
            expect(argument, wanted, &format!("function \"{name}\""))?;
        }
        Ok(Operand::new(Shape::Other, signature.yields, token.start))
    }

    /// `sum(x)`, `sum by (a) (x)`, `sum(x) by (a)`, `topk(3, x)`.
    pub(super) fn aggregation(&mut self, parameter: Option<Type>) -> Result<Operand, Fault> {
        let token = self.take();
        let name = self.text_of(token);
        let grouped = self.grouping()?;
        if !self.is_sign("(") {
            return Err(self.unexpected("\"(\""));
        }
        let arguments = self.arguments(|_| None)?;
        if !grouped {
            self.grouping()?;
        }
        let wanted = 1 + usize::from(parameter.is_some());
        if arguments.len() != wanted {
            let got = arguments.len();
            let message = format!("\"{name}\" takes {wanted} argument(s), got {got}");
            return Err(Fault::new(token.start, message));
        }
        let types = parameter.into_iter().chain([Type::Vector]);
        for (argument, wanted) in arguments.iter().zip(types) {
            expect(argument, wanted, &format!("aggregation \"{name}\""))?;
        }
        Ok(Operand::new(Shape::Other, Type::Vector, token.start))
    }

    /// `by (labels)` or `without (labels)`, if it stands here.
    fn grouping(&mut self) -> Result<bool, Fault> {
        if self.take_keyword(&["by", "without"]).is_none() {
            return Ok(false);
        }
        self.labels()?;
        Ok(true)
    }

    /// `(a, b)`. `bare` says which argument may select everything.
    pub(super) fn arguments(
        &mut self,
        bare: impl Fn(usize) -> Option<()>,
    ) -> Result<Vec<Operand>, Fault> {
        let open = self.take();
        let mut found = Vec::new();
        if self.take_sign(")") {
            return Ok(found);
        }
        loop {
            self.bare = bare(found.len()).is_some();
            found.push(self.binary(0)?);
            self.bare = false;
            if !self.is_sign(",") {
                break;
            }
            let comma = self.take();
            if self.is_sign(")") {
                return Err(Fault::new(comma.start, "unexpected \",\" before \")\""));
            }
        }
        self.close(open, ")", "an operator, \",\" or \")\"")?;
        Ok(found)
    }

    /// `(label, label)`, an empty list and a trailing comma included.
    pub(super) fn labels(&mut self) -> Result<Vec<String>, Fault> {
        if !self.is_sign("(") {
            return Err(self.unexpected("\"(\" and labels"));
        }
        let open = self.take();
        let mut found = Vec::new();
        while !self.is_sign(")") {
            let token = self.peek();
            match token.kind {
                Kind::Text => found.push(self.string()?),
                Kind::Word => {
                    found.push(self.text_of(token).to_owned());
                    self.take();
                }
                Kind::Variable => {
                    self.take();
                }
                Kind::End => return self.close(open, ")", "a label").map(|()| found),
                _ => return Err(self.unexpected("a label or \")\"")),
            }
            if !self.take_sign(",") {
                break;
            }
        }
        self.close(open, ")", "\",\" or \")\"")?;
        Ok(found)
    }
}

/// Whether a function is given as many arguments as it takes.
fn count(signature: &Signature, name: &str, at: usize, got: usize) -> Result<(), Fault> {
    let Signature { least, most, .. } = signature;
    let wanted = match most {
        Some(most) if most == least => format!("{least}"),
        Some(most) => format!("{least} to {most}"),
        None => format!("at least {least}"),
    };
    if got < *least || most.is_some_and(|most| got > most) {
        let message = format!("\"{name}\" takes {wanted} argument(s), got {got}");
        return Err(Fault::new(at, message));
    }
    Ok(())
}

/// Whether an argument has the type that is asked for.
fn expect(argument: &Operand, wanted: Type, taker: &str) -> Result<(), Fault> {
    if argument.kind.fits(wanted) {
        return Ok(());
    }
    let (wanted, got) = (wanted.word(), argument.kind.word());
    let hint = match (wanted, argument.shape) {
        ("a range vector", Shape::Selector) => " (a range such as [5m] is missing)",
        _ => "",
    };
    Err(Fault::new(argument.start, format!("{taker} takes {wanted}, not {got}{hint}")))
}
