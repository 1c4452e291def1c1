//! Who we are on this host, and a text that nobody else makes.

use crate::core::model::names::InstanceId;
use rustix::process::{Resource, Rlimit};

/// Host name and process id: `pod-3:4711`.
pub fn instance() -> InstanceId {
    InstanceId::new(format!("{}:{}", name(), std::process::id()))
}

/// The host's name, as its kernel has it.
pub fn name() -> String {
    match rustix::system::uname().nodename().to_string_lossy() {
        name if name.is_empty() => "localhost".to_owned(),
        name => name.into_owned(),
    }
}

/// The operating-system user, for the audit trail: `ann(uid 1000)`. A name that cannot be found (a container with an
/// arbitrary user id) is `?`: the number is what the kernel vouches for.
pub fn user() -> String {
    let name = whoami::username().unwrap_or_else(|_| "?".to_owned());
    format!("{name}(uid {})", rustix::process::getuid().as_raw())
}

/// No core file of this process is written, and no other process of its user may read its memory.
///
/// # Errors
/// What the system says.
pub fn hide_memory() -> std::io::Result<()> {
    let limit = rustix::process::getrlimit(Resource::Core);
    rustix::process::setrlimit(Resource::Core, Rlimit { current: Some(0), ..limit })?;
    // Linux reads the memory of a process that dies by a handler of its own whatever the limit says.
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// How many descriptors this process may have open.
pub fn descriptors() -> u64 {
    rustix::process::getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// A random text that no other process will ever make: 32 hexadecimal digits.
pub fn nonce() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_names_its_host_and_process() {
        let instance = instance();
        let (host, process) = instance.as_str().rsplit_once(':').unwrap();
        assert!(!host.is_empty());
        assert_eq!(process, std::process::id().to_string());
        assert!(user().ends_with(')'), "{}", user());
    }

    #[test]
    fn no_two_nonces_are_alike() {
        let (a, b) = (nonce(), nonce());
        assert_eq!(a.len(), 32);
        assert_ne!(a, b);
    }
}
