//! The elements of an array, one by one, of a text that comes in pieces.

/// How far the array is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// It has not begun.
    Before,
    /// An element, or the first one's absence.
    Inside,
    /// It has ended.
    Behind,
}

/// Where a byte belongs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// To no element.
    None,
    /// To the element that is being read.
    Element,
    /// An element ends in front of it.
    End,
}

/// Reads brackets and texts, and leaves the rest to whoever reads the element.
#[derive(Debug)]
pub(super) struct Splitter {
    state: State,
    /// Brackets within the element.
    depth: u64,
    is_text: bool,
    is_escaped: bool,
    /// Whether the element has a byte.
    has_any: bool,
    elements: u64,
}

impl Splitter {
    pub(super) fn new() -> Self {
        Self { state: State::Before, depth: 0, is_text: false, is_escaped: false, has_any: false, elements: 0 }
    }

    /// # Errors
    /// When there is no array, or something behind it.
    pub(super) fn take(&mut self, byte: u8) -> Result<Part, String> {
        let is_blank = matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
        match self.state {
            State::Before | State::Behind if is_blank => Ok(Part::None),
            State::Before if byte == b'[' => {
                self.state = State::Inside;
                Ok(Part::None)
            }
            State::Before => Err("it is no JSON array: each of its elements is wanted".to_owned()),
            State::Behind => Err("there is something behind the end of its array".to_owned()),
            State::Inside => self.inside(byte, is_blank),
        }
    }

    fn inside(&mut self, byte: u8, is_blank: bool) -> Result<Part, String> {
        if self.is_text {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.is_text = false,
                _ => {}
            }
            return Ok(Part::Element);
        }
        if is_blank && !self.has_any {
            return Ok(Part::None);
        }
        let is_end = self.depth == 0 && matches!(byte, b',' | b']');
        if !is_end {
            match byte {
                b'"' => self.is_text = true,
                b'[' | b'{' => self.depth += 1,
                b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            self.has_any = true;
            return Ok(Part::Element);
        }
        let is_empty_array = byte == b']' && self.elements == 0 && !self.has_any;
        if byte == b']' {
            self.state = State::Behind;
        }
        if is_empty_array {
            return Ok(Part::None);
        }
        if !self.has_any {
            return Err(format!("element {} is missing", self.elements + 1));
        }
        self.has_any = false;
        self.elements += 1;
        Ok(Part::End)
    }

    /// # Errors
    /// When the array has not ended.
    pub(super) fn finish(&self) -> Result<(), String> {
        match self.state {
            State::Before => Err("it is no JSON array: each of its elements is wanted".to_owned()),
            State::Inside => Err("it ends within its array".to_owned()),
            State::Behind => Ok(()),
        }
    }
}
