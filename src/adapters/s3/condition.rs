//! What a name must be like for a request to be carried out.

/// What a name must be like for a request to be carried out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Condition {
    Any,
    /// Nothing has it.
    Absent,
    /// What has it is this, by the store's tag.
    Is(String),
}

impl Condition {
    /// The header that says so.
    pub(super) fn header(&self) -> Option<(&'static str, String)> {
        match self {
            Self::Any => None,
            Self::Absent => Some(("if-none-match", "*".to_owned())),
            Self::Is(tag) => Some(("if-match", tag.clone())),
        }
    }
}
