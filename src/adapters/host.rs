//! Who we are on this host, and chance from its kernel.

use crate::core::model::names::InstanceId;
use std::fmt::Write as _;

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

/// A text that no other process will ever make: 128 bits from the kernel, as hexadecimal digits.
pub fn nonce() -> String {
    let mut bytes = [0_u8; 16];
    let filled = rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()).unwrap_or(0);
    if filled < bytes.len() {
        // Only a kernel without getrandom gets here; process and time still tell two claims of one race apart.
        return format!("{}-{}", std::process::id(), jiff::Timestamp::now().as_nanosecond());
    }
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
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
