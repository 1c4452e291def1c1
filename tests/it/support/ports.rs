//! Ports for servers of the tests' own.

/// A port that nobody listens on, below those that the kernel gives to connections: no connection has it when a server that was
/// stopped comes back to it.
pub fn free_port() -> u16 {
    let ports = std::iter::repeat_with(|| fastrand::u16(10_000..32_000)).take(1000);
    ports
        .into_iter()
        .find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok())
        .expect("cannot bind a port")
}
