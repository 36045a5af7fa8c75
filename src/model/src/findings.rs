//! What a check has found so far. However bad a configuration is, what is said about it stays
//! small, and asking what was said stays quick. What is checked is not known here.

use std::collections::BTreeSet;

use crate::problem::{Code, Problem};

/// Most problems, and most warnings, that are told. Nobody reads more, and since each holds a path,
/// a configuration of a megabyte could otherwise make gigabytes of them.
pub const MAX_TOLD: usize = 500;

/// Problems or warnings, in the order found.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    told: Vec<Problem>,
    paths: BTreeSet<String>,
    count: usize,
}

impl Findings {
    pub(crate) fn push(&mut self, problem: Problem) {
        self.push_with(|| problem);
    }

    /// The same for a problem that is costly to word: only where it will be told.
    pub(crate) fn push_with(&mut self, problem: impl FnOnce() -> Problem) {
        self.count += 1;
        if self.told.len() < MAX_TOLD {
            let problem = problem();
            self.paths.insert(problem.path.clone());
            self.told.push(problem);
        }
    }

    #[cfg(test)]
    pub(crate) fn told(&self) -> &[Problem] {
        &self.told
    }

    /// How many were found, told or not.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Those told that were found after the first `count`.
    pub(crate) fn since(&mut self, count: usize) -> &mut [Problem] {
        let start = count.min(self.told.len());
        &mut self.told[start..]
    }

    /// Whether one is at a path.
    pub(crate) fn is_at(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Whether one is at a path or below it.
    pub(crate) fn is_within(&self, path: &str) -> bool {
        any_within(&self.paths, path)
    }

    /// All that are told, by path, each once; first how many are not.
    pub(crate) fn sorted(self, mut edit: impl FnMut(&mut Problem)) -> Vec<Problem> {
        let untold = self.count - self.told.len();
        let mut told = self.told;
        told.iter_mut().for_each(&mut edit);
        if untold > 0 {
            let message = format!("{untold} more were found than the {MAX_TOLD} told here");
            told.push(Problem::new("", Code::TooLarge, message));
        }
        told.sort();
        told.dedup();
        told
    }
}

/// Whether a path is another or lies below it.
pub(crate) fn is_within(path: &str, other: &str) -> bool {
    let below = path.strip_prefix(other);
    below.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

/// Whether any of the paths is this one or lies below it.
pub(crate) fn any_within(paths: &BTreeSet<String>, path: &str) -> bool {
    paths.contains(path)
        || ['.', '['].iter().any(|separator| {
            let below = format!("{path}{separator}");
            paths.range(below.clone()..).next().is_some_and(|next| next.starts_with(&below))
        })
}

#[cfg(test)]
mod tests;
