//! What a process holds, as the kernel counts it.

use std::fs;

/// What a process holds at a moment.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub descriptors: usize,
    pub threads: usize,
    pub rss_kib: usize,
}

impl Size {
    /// Of a process that lives.
    pub fn of(process: u32) -> Self {
        let folder = format!("/proc/{process}");
        let status = fs::read_to_string(format!("{folder}/status")).expect("it lives");
        let field = |name: &str| -> usize {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok()).expect("a number")
        };
        let descriptors = fs::read_dir(format!("{folder}/fd")).expect("it lives").count();
        Self { descriptors, threads: field("Threads:"), rss_kib: field("VmRSS:") }
    }
}
