//! What a run leaves on the volume, as plain values: the header line, the journal, the manifest, and the files' names.

pub mod file_name;
pub mod header;
pub mod journal;
pub mod manifest;
