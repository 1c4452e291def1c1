//! `filegen config`: worker files written, checked, shown and explained.

use super::context::Context;
use super::exit::{Code, Failure, Verdict};
use crate::config::{self, ConfigError, Environment, Loaded};
use serde::Serialize;
use std::path::Path;

/// Write, check, show and explain worker files
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Write a worker file to start from
    Init(InitArgs),
    /// Check worker files, and tell everything that is wrong with them
    #[command(after_help = "Examples:
  filegen config check -c loans.yaml
  filegen config check -c a.yaml -c b.yaml --output json")]
    Check,
    /// Show a worker file as it is understood, and where each value came from
    #[command(after_help = "Passwords are shown as ***.

Example:
  filegen config show -c loans.yaml")]
    Show,
    /// Print the JSON Schema of worker files, for editors
    #[command(after_help = "Example:
  filegen config schema > worker.schema.json
  # then, as the first line of a worker file:
  # yaml-language-server: $schema=worker.schema.json")]
    Schema,
}

/// Write a worker file to start from
#[derive(clap::Args, Debug)]
#[command(after_help = "Without `-c`, the worker file goes to stdout.

Examples:
  filegen config init > loans.yaml
  filegen config init -c loans.yaml")]
struct InitArgs {
    /// Replace the worker file that is there
    #[arg(long)]
    force: bool,
}

/// Acts on worker files.
pub(super) fn run(context: &Context, args: &Args) -> Result<Verdict, Failure> {
    match &args.action {
        Action::Init(args) => init(context, args),
        Action::Check => check(context),
        Action::Show => {
            let loaded = config::load(context.config_path()?, &Environment, &context.registry)?;
            context.ui.result(&loaded.resolved(), config::Resolved::to_yaml);
            Ok(Verdict::Done)
        }
        Action::Schema => {
            let schema = config::schema(&context.registry);
            context.ui.result(&schema, |schema| format!("{schema:#}\n"));
            Ok(Verdict::Done)
        }
    }
}

/// How the check of one worker file ended.
#[derive(Serialize)]
struct Checked<'a> {
    file: String,
    ok: bool,
    worker: Option<&'a str>,
    files: Option<usize>,
    problems: serde_json::Value,
}

fn check(context: &Context) -> Result<Verdict, Failure> {
    if context.globals.config.is_empty() {
        context.config_path()?;
    }
    let mut verdict = Verdict::Done;
    for path in &context.globals.config {
        let loaded = config::load(path, &Environment, &context.registry);
        context.ui.result(&checked(path, &loaded), |_| fine(path, loaded.as_ref().ok()));
        if let Err(error) = loaded {
            verdict = Verdict::Ended(Code::Config);
            if !context.ui.is_json() {
                context.ui.error_line(context.ui.render_report(&error.report()).trim_end());
            }
        }
    }
    Ok(verdict)
}

fn checked<'a>(path: &Path, loaded: &'a Result<Loaded, ConfigError>) -> Checked<'a> {
    let worker = loaded.as_ref().ok().map(|loaded| &loaded.worker);
    Checked {
        file: path.display().to_string(),
        ok: worker.is_some(),
        worker: worker.map(|worker| worker.id.as_str()),
        files: worker.map(|worker| worker.files.len()),
        problems: loaded.as_ref().err().map_or_else(|| serde_json::json!([]), ConfigError::to_json),
    }
}

/// A line about a file that is fine; nothing about one that is not.
fn fine(path: &Path, loaded: Option<&Loaded>) -> String {
    loaded.map_or_else(String::new, |loaded| {
        let worker = &loaded.worker;
        let files = worker.files.len();
        let plural = if files == 1 { "file" } else { "files" };
        format!("{}: ok: {} makes {files} {plural} from {}\n", path.display(), worker.id, worker.source.view)
    })
}

/// What was written, and where.
#[derive(Serialize)]
struct Written<'a> {
    file: Option<String>,
    text: &'a str,
}

fn init(context: &Context, args: &InitArgs) -> Result<Verdict, Failure> {
    let text = config::EXAMPLE;
    if context.globals.config.is_empty() {
        context.ui.result(&Written { file: None, text }, |written| written.text.to_owned());
        return Ok(Verdict::Done);
    }
    let path = context.config_path()?;
    write(path, text, args.force)?;
    let file = path.display().to_string();
    context.ui.result(&Written { file: Some(file), text }, |_| format!("wrote {}\n", path.display()));
    Ok(Verdict::Done)
}

fn write(path: &Path, text: &str, force: bool) -> Result<(), Failure> {
    config::write_new(path, text, force).map_err(|error| {
        let failure = Failure::caused(Code::Failed, &error).context(format!("cannot write {}", path.display()));
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            return failure.hint("name another file, or replace it with `--force`");
        }
        failure
    })
}
