//! What comes from outside shows no secret and moves no cursor, wherever it comes out.

mod bounded;
mod hostile;
mod memory;
mod told;
