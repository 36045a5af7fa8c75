//! Regular expressions of label matchers, in the syntax of Go's `regexp/syntax` (RE2) with Perl
//! flags, which differs from the `regex` crate's. Checked, never compiled: a pattern costs the
//! operator no more than its length.

/// Deepest nesting of groups. Go refuses more than 1000; nobody writes ten.
const MAX_DEPTH: usize = 100;

/// Largest count in `{n,m}` (Go: regexp/syntax, `repeat count`).
const MAX_REPEAT: u32 = 1000;

/// Checks a pattern. The value says whether it matches the empty string, where that is certain
/// without running it.
pub(super) fn check(pattern: &str) -> Result<bool, String> {
    let mut reader = Reader { rest: pattern, depth: 0, repeat: 1 };
    let empty = reader.alternatives()?;
    if reader.rest.is_empty() { Ok(empty) } else { Err("unexpected \")\"".into()) }
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
    /// How often the atom just read repeats its innermost part: counts multiply.
    repeat: u32,
}

impl<'a> Reader<'a> {
    fn take(&mut self, prefix: &str) -> bool {
        self.rest.strip_prefix(prefix).map(|rest| self.rest = rest).is_some()
    }

    fn next(&mut self) -> Option<char> {
        let first = self.rest.chars().next()?;
        self.rest = &self.rest[first.len_utf8()..];
        Some(first)
    }

    fn alternatives(&mut self) -> Result<bool, String> {
        let mut empty = self.sequence()?;
        while self.take("|") {
            empty |= self.sequence()?;
        }
        Ok(empty)
    }

    fn sequence(&mut self) -> Result<bool, String> {
        let mut empty = true;
        while !self.rest.is_empty() && !self.rest.starts_with(['|', ')']) {
            let others = std::mem::replace(&mut self.repeat, 1);
            let atom = self.atom()?;
            empty &= self.repetition(atom)?;
            self.repeat = self.repeat.max(others);
        }
        Ok(empty)
    }

    fn repetition(&mut self, atom: bool) -> Result<bool, String> {
        let Some(least) = self.operator()? else {
            return Ok(atom);
        };
        self.take("?");
        if self.rest.starts_with(['*', '+', '?']) || self.counted().is_some() {
            return Err("a repetition of a repetition".into());
        }
        Ok(atom || least == 0)
    }

    /// The least count of the repetition that stands here, after stepping over it.
    fn operator(&mut self) -> Result<Option<u32>, String> {
        if self.take("*") || self.take("?") {
            return Ok(Some(0));
        }
        if self.take("+") {
            return Ok(Some(1));
        }
        let Some((least, most, length)) = self.counted() else {
            return Ok(None);
        };
        self.rest = &self.rest[length..];
        let largest = most.unwrap_or(least).max(1);
        self.repeat = self.repeat.saturating_mul(largest);
        if most.is_some_and(|most| most < least) || least.max(self.repeat) > MAX_REPEAT {
            return Err("invalid repeat count".into());
        }
        Ok(Some(least))
    }

    /// `{n}`, `{n,}` or `{n,m}` and its length. Anything else in braces is literal text, in Go.
    fn counted(&self) -> Option<(u32, Option<u32>, usize)> {
        let inner = self.rest.strip_prefix('{')?;
        let end = inner.find('}')?;
        let count = |s: &str| {
            let digits = !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| s.parse().unwrap_or(u32::MAX))
        };
        let (least, most) = match inner[..end].split_once(',') {
            Some((least, "")) => (count(least)?, None),
            Some((least, most)) => (count(least)?, Some(count(most)?)),
            None => (count(&inner[..end])?, None),
        };
        Some((least, most, end + 2))
    }

    /// One character, class, group or assertion; whether it matches the empty string.
    fn atom(&mut self) -> Result<bool, String> {
        if self.counted().is_some() {
            return Err("a repetition of nothing".into());
        }
        match self.next() {
            Some('*' | '+' | '?') => Err("a repetition of nothing".into()),
            Some('(') => self.group(),
            Some('[') => self.class().map(|()| false),
            Some('\\') => self.escape(),
            Some('^' | '$') => Ok(true),
            _ => Ok(false),
        }
    }

    fn group(&mut self) -> Result<bool, String> {
        if self.take("?") && self.flags()? {
            return Ok(true);
        }
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("groups nested too deeply".into());
        }
        let empty = self.alternatives()?;
        self.depth -= 1;
        if self.take(")") { Ok(empty) } else { Err("missing closing \")\"".into()) }
    }

    /// What follows `(?`: a name, or flags. True when the group ends with the flags: `(?i)`.
    fn flags(&mut self) -> Result<bool, String> {
        if self.rest.starts_with(['=', '!'])
            || self.rest.starts_with("<=")
            || self.rest.starts_with("<!")
        {
            return Err("look-around is not supported".into());
        }
        if self.take("P<") || self.take("<") {
            let Some(end) = self.rest.find('>') else {
                return Err("invalid named group".into());
            };
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let good = end > 0 && self.rest[..end].chars().all(word);
            self.rest = &self.rest[end + 1..];
            return if good { Ok(false) } else { Err("invalid named group".into()) };
        }
        let end = self.rest.find([')', ':']).unwrap_or(0);
        let flags = &self.rest[..end];
        let negated = flags.split_once('-').map(|(_, off)| off);
        let known = flags.chars().all(|c| "imsU-".contains(c));
        if !known || negated.is_some_and(|off| off.is_empty() || off.contains('-')) {
            return Err("invalid group syntax after \"(?\"".into());
        }
        self.rest = &self.rest[end..];
        match self.next() {
            Some(')') => Ok(true),
            Some(':') => Ok(false),
            _ => Err("invalid group syntax after \"(?\"".into()),
        }
    }

    fn class(&mut self) -> Result<(), String> {
        self.take("^");
        let mut first = true;
        loop {
            match self.next() {
                None => return Err("missing closing \"]\"".into()),
                Some(']') if !first => return Ok(()),
                Some('[') if self.rest.starts_with(':') => self.named_class()?,
                Some(low) => self.span(low)?,
            }
            first = false;
        }
    }

    /// `[:alpha:]`; without its end it is literal text.
    fn named_class(&mut self) -> Result<(), String> {
        const NAMES: &str =
            " alnum alpha ascii blank cntrl digit graph lower print punct space upper word xdigit ";
        let Some(end) = self.rest.find(":]") else {
            return Ok(());
        };
        let name = self.rest[1..].get(..end.saturating_sub(1)).unwrap_or("");
        let known = NAMES.contains(&format!(" {} ", name.trim_start_matches('^')));
        self.rest = &self.rest[end + 2..];
        if known { Ok(()) } else { Err(format!("unknown class \"[:{name}:]\"")) }
    }

    /// One character of a class, or the range that it begins.
    fn span(&mut self, low: char) -> Result<(), String> {
        if low == '\\' {
            self.class_escape()?;
            return Ok(());
        }
        let mut ahead = self.rest.chars();
        let (Some('-'), Some(high)) = (ahead.next(), ahead.next()) else {
            return Ok(());
        };
        if high == ']' {
            return Ok(());
        }
        self.rest = ahead.as_str();
        if high == '\\' {
            // A range ends in a character, not in a class such as \d.
            if self.class_escape()? {
                return Err("invalid range".into());
            }
        } else if high < low {
            return Err(format!("invalid range \"{low}-{high}\""));
        }
        Ok(())
    }

    /// An escape within a class, where nothing is asserted; whether it stands for many characters.
    fn class_escape(&mut self) -> Result<bool, String> {
        if let Some(c @ ('A' | 'B' | 'b' | 'z' | 'Q')) = self.rest.chars().next() {
            return Err(format!("invalid escape \"\\{c}\""));
        }
        let many = self.rest.starts_with(['d', 'D', 's', 'S', 'w', 'W', 'p', 'P']);
        self.escape()?;
        Ok(many)
    }

    /// What follows a backslash; whether it matches the empty string.
    fn escape(&mut self) -> Result<bool, String> {
        match self.next() {
            None => Err("trailing backslash".into()),
            Some('A' | 'z' | 'B') => Ok(true),
            Some('Q') => {
                self.rest = self.rest.split_once("\\E").map_or("", |(_, after)| after);
                Ok(false)
            }
            Some('p' | 'P') => self.property(),
            Some('x') => self.hexadecimal(),
            Some(c @ '1'..='7') if !self.rest.starts_with(|c| matches!(c, '0'..='7')) => {
                Err(format!("back-reference \"\\{c}\" is not supported"))
            }
            Some(
                '0'..='7'
                | 'd'
                | 'D'
                | 's'
                | 'S'
                | 'w'
                | 'W'
                | 'b'
                | 'a'
                | 'f'
                | 'n'
                | 'r'
                | 't'
                | 'v',
            ) => Ok(false),
            Some(c) if c.is_ascii() && !c.is_ascii_alphanumeric() => Ok(false),
            Some(c) => Err(format!("invalid escape \"\\{c}\"")),
        }
    }

    fn property(&mut self) -> Result<bool, String> {
        let inner = self.rest.strip_prefix('{');
        let end = inner.and_then(|inner| inner.find('}'));
        match (inner, end) {
            (Some(inner), Some(end)) => self.rest = &inner[end + 1..],
            (None, _) if self.next().is_some() => {}
            _ => return Err("invalid character property".into()),
        }
        Ok(false)
    }

    fn hexadecimal(&mut self) -> Result<bool, String> {
        let (digits, length) = match self.rest.strip_prefix('{') {
            Some(inner) => {
                let end = inner.find('}').unwrap_or(0);
                (&inner[..end], end + 2)
            }
            None => (self.rest.get(..2).unwrap_or(""), 2),
        };
        let good = u32::from_str_radix(digits, 16).is_ok_and(|code| code <= 0x0010_FFFF);
        if !good {
            return Err("invalid escape \"\\x\"".into());
        }
        self.rest = self.rest.get(length..).unwrap_or("");
        Ok(false)
    }
}
