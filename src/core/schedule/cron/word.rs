//! A part of an expression's text that knows its place, and what is said of one that is wrong.

use crate::core::model::shown;
use std::ops::Range;

/// Why a text is no expression.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{message}")]
pub struct ExpressionError {
    /// What is wrong.
    pub message: String,
    /// Where, in bytes of the text.
    pub at: Range<usize>,
    /// What to write instead.
    pub hint: String,
}

impl ExpressionError {
    /// Both sentences may quote the text, which is foreign.
    pub(super) fn new(message: String, at: Range<usize>, hint: String) -> Self {
        Self { message: shown::owned(message), at, hint: shown::owned(hint) }
    }
}

/// A part of the text, and where it begins.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word<'a> {
    pub(super) text: &'a str,
    /// In bytes of the whole text.
    pub(super) at: usize,
}

impl Word<'_> {
    pub(super) fn error(self, message: String, hint: String) -> ExpressionError {
        ExpressionError::new(message, self.at..self.at + self.text.len(), hint)
    }

    /// What stands between commas. Nothing between two commas is no element.
    pub(super) fn elements(self) -> impl Iterator<Item = Self> {
        self.pieces(',')
    }

    pub(super) fn pieces(self, separator: char) -> impl Iterator<Item = Self> {
        let mut at = self.at;
        self.text.split(separator).filter_map(move |text| {
            let word = Self { text, at };
            at += text.len() + 1;
            (!text.is_empty()).then_some(word)
        })
    }

    pub(super) fn split_once(self, separator: char) -> Option<(Self, Self)> {
        let (before, behind) = self.text.split_once(separator)?;
        Some((Self { text: before, at: self.at }, Self { text: behind, at: self.at + before.len() + 1 }))
    }

    /// Digits alone, at most four of them.
    pub(super) fn number(self) -> Option<u32> {
        let digits = self.text.bytes().all(|byte| byte.is_ascii_digit());
        (digits && (1..=4).contains(&self.text.len())).then(|| self.text.parse().ok())?
    }

    /// This without its last letter, where that is `letter` in any case.
    pub(super) fn without_last(self, letter: char) -> Option<Self> {
        let text = self.text.strip_suffix([letter, letter.to_ascii_lowercase()])?;
        Some(Self { text, ..self })
    }

    pub(super) fn is(self, text: &str) -> bool {
        self.text.eq_ignore_ascii_case(text)
    }
}
