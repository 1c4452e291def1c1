//! `filegen health`: whether the daemon of this host is well, for whoever cannot speak HTTP.

use super::context::Context;
use super::exit::{Code, CommandEnd};
use super::failure::Failure;
use crate::http;
use crate::wiring;
use std::net::IpAddr;
use std::time::Duration;

/// Ask the daemon of this host whether it is well
///
/// For health checks of containers, whose images need neither a shell nor curl for it. A daemon that answers with TLS is asked with it, and
/// its certificate is not checked: it is made out to another name. Exit code 0 when it is well, 1 when it
/// says that it is not, 6 when nobody answers within the time.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  filegen health
  filegen health --ready --health-port 5001

In a Dockerfile:
  HEALTHCHECK CMD [\"filegen\", \"health\"]")]
pub struct Args {
    /// Ask whether all that it depends on answers, too; without it, whether the daemon itself works
    #[arg(long)]
    ready: bool,
    /// Port that the daemon listens at
    #[arg(long = "health-port", env = "HEALTH_PORT", value_name = "PORT", default_value_t = 5000,
          value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// Address that the daemon listens on [default: this machine's own]
    #[arg(long = "health-address", env = "HEALTH_ADDRESS", value_name = "IP")]
    address: Option<IpAddr>,
    /// Longest wait for the answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=60))]
    timeout: u64,
}

/// Asks and prints the answer.
pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    let path = if args.ready { "/health/ready" } else { "/health/live" };
    let (limit, tls) = (Duration::from_secs(args.timeout), wiring::own_door()?);
    let answered = context.block_on(async { Ok(http::ask(args.address, args.port, path, &tls, limit).await) })?;
    let answer = answered.map_err(|error| {
        Failure::new(Code::Unreachable, format!("no daemon answers at port {}: {error}", args.port))
            .hint("start one with `filegen daemon -c FILE`, or name its port with --health-port")
    })?;
    // Written anew, so that nothing of another program's gets to the terminal as it is.
    let Ok(told) = serde_json::from_str::<serde_json::Value>(&answer.body) else {
        let text = format!("what answers at port {} is no daemon of filegen: another program has the port", args.port);
        return Err(Failure::new(Code::Failed, text));
    };
    context.ui.out(&format!("{told}\n"));
    Ok(if answer.code == 200 { CommandEnd::Done } else { CommandEnd::Ended(Code::Failed) })
}
