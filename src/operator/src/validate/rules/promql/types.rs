//! The types of PromQL and what an operand may be asked for. No text, no positions of tokens.

/// Type of an expression (Prometheus documentation, "Expression language data types").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Scalar,
    Vector,
    Range,
    Text,
    /// A Grafana variable: whatever its place asks for.
    Any,
}

impl Type {
    /// Prometheus' own word for the type, with its article.
    pub(super) fn word(self) -> &'static str {
        match self {
            Type::Scalar => "a scalar",
            Type::Vector => "an instant vector",
            Type::Range => "a range vector",
            Type::Text => "a string",
            Type::Any => "a variable",
        }
    }

    /// Whether a value of this type may stand where `wanted` is asked for.
    pub(super) fn fits(self, wanted: Type) -> bool {
        self == Type::Any || wanted == Type::Any || self == wanted
    }

    /// Whether arithmetic is defined on it.
    pub(super) fn is_number(self) -> bool {
        matches!(self, Type::Scalar | Type::Vector | Type::Any)
    }
}

/// What kind of expression an operand is, as far as `[5m]`, `offset` and `@` ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Selector,
    Range,
    Subquery,
    Other,
}

/// An operand that was read: its type and where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operand {
    pub(super) shape: Shape,
    pub(super) kind: Type,
    pub(super) start: usize,
    pub(super) offset: bool,
    pub(super) at: bool,
}

impl Operand {
    /// An operand on which no modifier stands yet.
    pub(super) fn new(shape: Shape, kind: Type, start: usize) -> Self {
        Self { shape, kind, start, offset: false, at: false }
    }
}

/// A binary operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// `and`, `or`, `unless`.
    Set,
    /// `==`, `>` and the like.
    Comparison,
    /// The rest.
    Arithmetic,
}

/// Precedence (higher binds tighter) and class of a binary operator, by its lower-case text
/// (Prometheus documentation, "Binary operator precedence").
pub(super) fn operator(text: &str) -> Option<(u8, Class)> {
    Some(match text {
        "or" => (1, Class::Set),
        "and" | "unless" => (2, Class::Set),
        "==" | "!=" | "<" | "<=" | ">" | ">=" => (3, Class::Comparison),
        // Trimming of native histograms, Prometheus 3.
        "</" | ">/" => (3, Class::Arithmetic),
        "+" | "-" => (4, Class::Arithmetic),
        "*" | "/" | "%" | "atan2" => (5, Class::Arithmetic),
        "^" => (POWER, Class::Arithmetic),
        _ => return None,
    })
}

/// Precedence of `^`, the only operator that groups to the right.
pub(super) const POWER: u8 = 6;
