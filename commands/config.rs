//! `filegen config`: worker files written, checked, shown and explained.

mod fine;
mod named_files;
mod together;
mod told;

use super::context::Context;
use super::exit::{Code, CommandEnd};
use super::failure::Failure;
use crate::config::{self, ConfigError, Environment, Flow, Loaded};
use crate::core::generate::plan::Plan;
use crate::core::generate::sample::sample;
use crate::core::generate::spec::Worker;
use crate::core::generate::{params, predicates};
use crate::core::kind::HasKind;
use crate::core::model::column::{Column, Observed};
use crate::core::model::finding::CheckVerdict as Found;
use crate::core::model::secret::Secret;
use crate::core::ports::source::SourceError;
use crate::wiring;
use fine::fine;
use serde::Serialize;
use std::io::Read;
use std::path::Path;
pub(super) use together::refuse_misfits;
use told::{certificates, filters, warnings};

/// Write, check, show and explain worker files
#[derive(clap::Args, Debug)]
#[command(after_help = "Example:
  filegen config check -c loans.yaml")]
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
  filegen config check -c loans.yaml --source
  filegen config check -c a.yaml -c b.yaml --output json")]
    Check(CheckArgs),
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

/// Check worker files, and tell everything that is wrong with them
#[derive(clap::Args, Debug)]
struct CheckArgs {
    /// Also connect to the source: hold the columns against those of the view, try each `where`, read a row
    #[arg(long)]
    source: bool,
}

/// Write a worker file to start from
///
/// With `--view`, the view's own columns are in it; without, it is an example of everything there is.
#[derive(clap::Args, Debug)]
#[command(after_help = "Without `-c`, the worker file goes to stdout. A password is never written into it.

Examples:
  filegen config init > loans.yaml
  filegen config init --kind ingest > events.yaml
  filegen config init --kind scheduler -c intake.yaml
  filegen config init --kind transfer -c sales.yaml
  filegen config init --from sqlite:loans.db --view v_LoanData -c loans.yaml
  filegen config init --from sqlite:loans.db --view v_LoanData --receiver duckdb -c loans.yaml
  filegen config init --from-env LOANS_URL --view sales.orders --key region,id
  vault read ... | filegen config init --from - --view sales.orders")]
struct InitArgs {
    /// Kind of file, by its first key
    #[arg(long, value_name = "worker|ingest|scheduler|transfer", default_value = "worker", value_parser = kind, conflicts_with = "view")]
    kind: String,
    /// Address of the source, or `-` to read it from stdin [default: SQL_CONNECTION_STRING]
    #[arg(long, value_name = "URL", requires = "view")]
    from: Option<String>,
    /// Environment variable that holds the address; the worker file then names it
    #[arg(long, value_name = "NAME", requires = "view", conflicts_with = "from")]
    from_env: Option<String>,
    /// View whose columns to take
    #[arg(long, value_name = "NAME")]
    view: Option<String>,
    /// Columns that are unique and not null together; guessed when not given
    #[arg(long, value_name = "COLUMN", value_delimiter = ',', requires = "view")]
    key: Vec<String>,
    /// Program that loads the file, such as `duckdb` or `postgres-copy`: makes the one file that it takes whole
    #[arg(long, value_name = "NAME", requires = "view")]
    receiver: Option<String>,
    /// Replace the worker file that is there
    #[arg(long)]
    force: bool,
}

/// A kind of file by its key.
fn kind(text: &str) -> Result<String, String> {
    let all: Vec<&str> = config::kinds().map(|(key, _)| key).collect();
    if all.contains(&text) { Ok(text.to_owned()) } else { Err(format!("there are {}", all.join(", "))) }
}

/// Acts on worker files.
pub(super) fn run(context: &Context, args: &Args) -> Result<CommandEnd, Failure> {
    match &args.action {
        Action::Init(args) => init(context, args),
        Action::Check(args) => check(context, args),
        Action::Show => {
            let loaded = config::load(context.config_path()?, &Environment, &context.registry)?;
            context.ui.result(&loaded.resolved(&wiring::address_shown), config::Resolved::to_yaml);
            Ok(CommandEnd::Done)
        }
        Action::Schema => {
            let schema = config::schema(&context.registry);
            context.ui.result(&schema, |schema| format!("{schema:#}\n"));
            Ok(CommandEnd::Done)
        }
    }
}

/// How the check of one worker file ended.
#[derive(Serialize)]
struct Checked<'a> {
    file: String,
    ok: bool,
    worker: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scheduler: Option<&'a str>,
    files: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ingest: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transfer: Option<&'a str>,
    problems: serde_json::Value,
    /// What makes no file wrong.
    warnings: serde_json::Value,
}

fn check(context: &Context, args: &CheckArgs) -> Result<CommandEnd, Failure> {
    if context.globals.config.is_empty() {
        context.config_path()?;
    }
    let mut verdict = CommandEnd::Done;
    let mut whole = Vec::new();
    for path in &context.globals.config {
        let mut loaded = config::load(path, &Environment, &context.registry);
        let unread = loaded.as_ref().ok().and_then(|file| file.unreadable(&wiring::unreadable_in(&file.flow)));
        if let Some(error) = unread {
            loaded = Err(error);
        }
        let unfit = loaded.as_ref().ok().and_then(|file| file.unfit(&certificates(file)));
        if let Some(error) = unfit {
            loaded = Err(error);
        }
        let unusable = loaded.as_ref().ok().and_then(|file| file.unusable(&filters(file)));
        if let Some(error) = unusable {
            loaded = Err(error);
        }
        if let Ok(file) = &loaded
            && args.source
            && let Some(worker) = file.flow.worker()
            && let Some(error) = refused(context, file, worker)?
        {
            loaded = Err(error);
        }
        let doubts = match loaded.as_ref().ok().and_then(|file| file.flow.worker()) {
            Some(worker) if args.source => doubts(context, worker)?,
            _ => Vec::new(),
        };
        context.ui.result(&checked(context, path, &loaded, &doubts), |_| fine(path, loaded.as_ref().ok()));
        if !context.ui.is_json() {
            for doubt in &doubts {
                context.ui.status(&format!("{} {doubt}", context.ui.paint_warning("warning:")));
            }
        }
        if let Some(warnings) = warnings(context, &loaded)
            && !context.ui.is_json()
        {
            context.ui.status_lines(&format!("{} {warnings}", context.ui.paint_warning("warning:")));
        }
        match loaded {
            Err(error) => {
                verdict = CommandEnd::Ended(Code::Config);
                if !context.ui.is_json() {
                    context.ui.error_lines(context.ui.render_report(&error.report()).trim_end());
                }
            }
            Ok(file) => whole.push((path.as_path(), file.flow)),
        }
    }
    let together: Vec<_> = whole.iter().map(|(path, flow)| (*path, flow)).collect();
    together::check(context, &together)?;
    named_files::check(context, &together)?;
    Ok(verdict)
}

/// The columns that a worker's view really has, and whether their names' case may differ.
fn columns(context: &Context, worker: &Worker) -> Result<(Vec<Column>, bool), Failure> {
    // A person waits: what is away now is said now.
    let source = wiring::source_at(&worker.source.url)?;
    let view = looking(context, worker)?.query.view;
    context.block_on(async { Ok((source.columns(&view).await?, source.folds_names())) })
}

/// What a run of today would ask.
fn looking(context: &Context, worker: &Worker) -> Result<Plan, Failure> {
    let params = params::for_looking(worker, params::today(worker, wiring::clock().now()));
    Ok(Plan::new(worker, &context.registry, &params)?)
}

/// What the source says no to, as problems of the file: login, view, right to read it, columns, predicates.
fn refused(context: &Context, file: &Loaded, worker: &Worker) -> Result<Option<ConfigError>, Failure> {
    let (plan, source) = (looking(context, worker)?, wiring::source_at(&worker.source.url)?);
    let asked = async || {
        let columns = source.columns(&plan.query.view).await?;
        let unfit = file.check_columns(&columns, source.folds_names(), &context.registry).err();
        if unfit.is_some() {
            return Ok(unfit);
        }
        Ok::<_, SourceError>(file.refused_predicates(&predicates::refused(&*source, &plan).await?))
    };
    match context.block_on(async { Ok(asked().await) })? {
        Err(error) if Code::from(error.kind()) == Code::Config => {
            // A server's name is an address, which messages about a file do not show; a file's is its path.
            let (fields, why): (&[&str], String) = match &error {
                SourceError::Refused { reason } => (&["view", "query"], reason.clone()),
                SourceError::Absent { .. } => (&["url"], error.to_string()),
                SourceError::Denied { reason, .. } => (&[], reason.clone()),
                other => (&[], other.to_string()),
            };
            Ok(Some(file.refused_by_source(fields, why)))
        }
        answer => Ok(answer?),
    }
}

/// What the source knows of the values that a person should know too.
fn doubts(context: &Context, worker: &Worker) -> Result<Vec<String>, Failure> {
    let query = looking(context, worker)?.query;
    // A person waits: what is away now is said now.
    let source = wiring::source_at(&worker.source.url)?;
    let findings = context.block_on(async { Ok(source.doubts(&query).await?) })?;
    Ok(findings.into_iter().filter(|finding| finding.verdict != Found::Pass).map(|finding| finding.detail).collect())
}

fn checked<'a>(
    context: &Context,
    path: &Path,
    loaded: &'a Result<Loaded, ConfigError>,
    doubts: &[String],
) -> Checked<'a> {
    let flow = loaded.as_ref().ok().map(|file| &file.flow);
    let id = |key| flow.filter(|flow| flow.key() == key).map(Flow::id);
    let told = |error: Option<&ConfigError>| error.map_or_else(|| serde_json::json!([]), ConfigError::to_json);
    let mut warnings = told(warnings(context, loaded).as_ref());
    if let Some(list) = warnings.as_array_mut() {
        let warning = |doubt: &String| serde_json::json!({ "code": "source", "message": doubt });
        list.extend(doubts.iter().map(warning));
    }
    Checked {
        file: path.display().to_string(),
        ok: loaded.is_ok(),
        worker: id("worker"),
        scheduler: id("scheduler"),
        files: flow.and_then(Flow::worker).map(|worker| worker.files.len()),
        ingest: id("ingest"),
        transfer: id("transfer"),
        problems: told(loaded.as_ref().err()),
        warnings,
    }
}

/// What was written, and where.
#[derive(Serialize)]
struct Written<'a> {
    file: Option<String>,
    text: &'a str,
}

fn init(context: &Context, args: &InitArgs) -> Result<CommandEnd, Failure> {
    let path = if context.globals.config.is_empty() { None } else { Some(context.config_path()?) };
    let text = match &args.view {
        Some(view) => from_view(context, args, view, path)?,
        None => config::example(&args.kind).to_owned(),
    };
    if let Some(path) = path {
        write(path, &text, args.force)?;
        tell_namesakes(context, path);
    }
    let file = path.map(|path| path.display().to_string());
    let told = file.as_ref().map(|file| format!("wrote {file}\n"));
    context.ui.result(&Written { file, text: &text }, |written| told.unwrap_or_else(|| written.text.to_owned()));
    Ok(CommandEnd::Done)
}

/// Says of a new file what another one beside it has of it.
fn tell_namesakes(context: &Context, path: &Path) {
    let Ok(loaded) = config::load(path, &Environment, &context.registry) else { return };
    for namesake in config::namesakes(&loaded, &[], &Environment, &context.registry) {
        let warning = context.ui.paint_warning("warning:");
        context.ui.status(&format!("{warning} {}; {}", namesake.describe(), namesake.advice()));
    }
}

/// A worker file of a view's own columns, checked as any other.
fn from_view(context: &Context, args: &InitArgs, view: &str, path: Option<&Path>) -> Result<String, Failure> {
    let from = source_address(args)?;
    let worker = config::look_at(from.as_deref(), view, &Environment)
        .map_err(|(message, hint)| Failure::new(Code::Config, message).hint(hint))?;
    // Whoever may list this host's processes has seen it.
    if args.from.as_deref().is_some_and(|given| wiring::has_secret(&Secret::new(config::without_references(given)))) {
        return Err(Failure::new(
            Code::Usage,
            "the address in `--from` holds a password, and arguments are seen by others",
        )
        .hint(IN_ARGUMENTS));
    }
    let (columns, folds) = columns(context, &worker)?;
    // A relative path would start in the worker file's folder, and may be meant to start here.
    let elsewhere = path.and_then(Path::parent).is_some_and(|folder| !folder.as_os_str().is_empty());
    let from = from.as_deref().map(|url| match worker.source.url.reveal() {
        absolute if elsewhere && absolute.starts_with("sqlite:") => absolute,
        _ => url,
    });
    // References are written as they stand; a password is not.
    let from = from.filter(|url| !wiring::has_secret(&Secret::new(config::without_references(url))));
    let observed = observed(context, &worker, &columns)?;
    let receiver = args.receiver.as_deref();
    let key: Vec<String> = args.key.iter().map(|given| spelled(given, &columns, folds)).collect();
    let sample = config::Sample { url: from, view, key: &key, columns: &columns, observed: &observed, receiver };
    let text = sample.to_yaml().map_err(|message| Failure::new(Code::Config, message))?;
    config::parse(&text, path.unwrap_or(Path::new("worker.yaml")), &Environment, &context.registry)?;
    Ok(text)
}

/// A column's name as the view spells it, where the source takes it in any case.
fn spelled(given: &str, columns: &[Column], folds: bool) -> String {
    let exact = columns.iter().any(|column| column.name == given);
    let alike = columns.iter().find(|column| folds && !exact && column.name.eq_ignore_ascii_case(given));
    alike.map_or(given, |column| column.name.as_str()).to_owned()
}

const IN_ARGUMENTS: &str = "change the password, since it was shown; then give the address by `--from -` on stdin, by `--from '${NAME}'` or \
                            `--from-env NAME` from the environment, or by the file that SQL_CONNECTION_STRING_FILE names";

/// Longest address that is read, in bytes.
const ADDRESS_MAX: u64 = 64 << 10;

/// The source's address as it was given: itself, on stdin, or by the name of a variable.
fn source_address(args: &InitArgs) -> Result<Option<String>, Failure> {
    if let Some(name) = &args.from_env {
        return Ok(Some(format!("${{{name}}}")));
    }
    if args.from.as_deref() != Some("-") {
        return Ok(args.from.clone());
    }
    let mut text = String::new();
    let read = std::io::stdin().take(ADDRESS_MAX).read_to_string(&mut text);
    read.map_err(|error| Failure::caused(Code::Failed, &error).context("the address cannot be read from stdin"))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(Failure::new(Code::Usage, "there is no address on stdin").hint("write it there in one line"));
    }
    // What stands there is the address: nothing in it is a reference.
    Ok(Some(text.replace("${", "$${")))
}

/// What the view's first rows hold. When they cannot be read, a file can still be made of the columns alone.
fn observed(context: &Context, worker: &Worker, columns: &[Column]) -> Result<Vec<Observed>, Failure> {
    let source = wiring::source_at(&worker.source.url)?;
    let view = looking(context, worker)?.query.view;
    let found = context.block_on(async { Ok(sample(&*source, &view, columns).await) })?;
    Ok(found.unwrap_or_else(|error| {
        let warning = context.ui.paint_warning("warning:");
        context.ui.status(&format!("{warning} the view's rows were not looked at, so widths are guesses: {error}"));
        Vec::new()
    }))
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
