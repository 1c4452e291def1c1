//! What every command gets: options, the worker file on demand, a runtime on demand. Nothing is connected before it is used.

use super::exit::Code;
use super::failure::Failure;
use super::globals::{Globals, LogFormat};
use super::ui::Ui;
use crate::Registry;
use crate::config::{self, Environment, Loaded};
use crate::core::generate::params;
use crate::core::generate::spec::Worker;
use crate::core::model::param::ParamKind;
use crate::core::model::run::{BusinessDate, RunId};
use crate::telemetry::log::{self, Form, Level};
use crate::wiring;
use jiff::tz::TimeZone;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What every command gets.
pub struct Context {
    /// Options of every command.
    pub globals: Globals,
    /// Terminal and streams.
    pub ui: Ui,
    /// Translators that worker files may name.
    pub registry: Arc<Registry>,
}

/// The business date, where a command is about one run.
#[derive(clap::Args, Debug, Clone, Copy)]
pub struct DateArg {
    /// Business date [default: today in the worker file's business_date.timezone]
    #[arg(long, value_name = "YYYY-MM-DD", value_parser = parse_date)]
    date: Option<BusinessDate>,
}

/// Parameters given for one run.
#[derive(clap::Args, Debug)]
pub struct ParamArgs {
    /// Value of a parameter of the worker file for this run; may be given for several. The run keeps it
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<String>,
}

/// A business date as an option.
pub fn parse_date(text: &str) -> Result<BusinessDate, String> {
    BusinessDate::parse(text).ok_or_else(|| "write a day that exists, as 2026-11-21".to_owned())
}

impl ParamArgs {
    /// Whether none was given.
    pub fn is_empty(&self) -> bool {
        self.params.is_empty()
    }

    /// The same options, for a process of our own.
    pub fn arguments(&self) -> impl Iterator<Item = OsString> {
        self.params.iter().flat_map(|text| [OsString::from("--param"), OsString::from(text)])
    }
}

impl Context {
    /// Reads nothing but the options and whether the streams are terminals.
    pub fn new(globals: Globals, registry: Registry) -> Self {
        let ui = Ui::new(&globals);
        Self { globals, ui, registry: Arc::new(registry) }
    }

    /// Logs to stderr when `-v` asks for it.
    pub fn start_logging(&self) {
        let level = match self.globals.verbose {
            0 => return,
            1 => Level::Info,
            2 => Level::Debug,
            _ => Level::Trace,
        };
        log::start(level, self.log_form(LogFormat::Text));
    }

    /// The form of log lines: the option's, else `usual`.
    pub fn log_form(&self, usual: LogFormat) -> Form {
        match self.globals.log_format.unwrap_or(usual) {
            LogFormat::Text => Form::Text(self.ui.has_colour()),
            LogFormat::Kv => Form::KeyValue,
            LogFormat::Json => Form::Json,
        }
    }

    /// The one worker file that was named.
    ///
    /// # Errors
    /// Wrong usage, when no worker file or several were named.
    pub fn config_path(&self) -> Result<&Path, Failure> {
        match self.globals.config.as_slice() {
            [path] => Ok(path),
            [] => Err(Failure::new(Code::Usage, "no worker file is named")
                .hint("name it with `-c FILE`; `filegen config init --help` shows how to make one")),
            _ => Err(Failure::new(Code::Usage, "this command takes one worker file, and several are named")),
        }
    }

    /// The worker file, read and checked.
    ///
    /// # Errors
    /// Wrong usage, or everything that is wrong with the file.
    pub fn load(&self) -> Result<Loaded, Failure> {
        Ok(config::load(self.config_path()?, &Environment, &self.registry)?)
    }

    /// What the worker file says.
    ///
    /// # Errors
    /// As [`Context::load`].
    pub fn worker(&self) -> Result<Arc<Worker>, Failure> {
        Ok(self.load()?.into_worker()?)
    }

    /// What the worker file says, with parameters given for one run.
    ///
    /// # Errors
    /// As [`Context::load`], and wrong usage for what is no value of a parameter of the file.
    pub fn worker_with(&self, given: &ParamArgs) -> Result<Arc<Worker>, Failure> {
        Self::worker_of(self.load()?, given)
    }

    /// What a worker file says, with parameters given for one run.
    ///
    /// # Errors
    /// As [`Context::worker_with`].
    pub fn worker_of(loaded: Loaded, given: &ParamArgs) -> Result<Arc<Worker>, Failure> {
        let mut worker = loaded.into_worker()?;
        for text in &given.params {
            give(Arc::make_mut(&mut worker), text)
                .map_err(|why| Failure::new(Code::Usage, format!("--param {text}: {why}")))?;
        }
        Ok(worker)
    }

    /// The run of the given day. Without a day, of today in the worker's zone.
    ///
    /// # Errors
    /// When the zone is not known on this host.
    pub fn run_id(&self, worker: &Worker, given: DateArg) -> Result<RunId, Failure> {
        let date = if let Some(date) = given.date {
            date
        } else {
            let name = &worker.business_date.timezone;
            let zone = TimeZone::get(name).map_err(|error| {
                Failure::caused(Code::Config, &error).context(format!("business_date.timezone `{name}`"))
            })?;
            BusinessDate(wiring::clock().now().to_zoned_datetime(zone).date())
        };
        Ok(RunId { worker: worker.id.clone(), date })
    }

    /// Whether a person agrees, by `--yes` or by an answer on the terminal.
    ///
    /// # Errors
    /// Wrong usage, where there is nobody to ask.
    pub fn confirmed(&self, yes: bool, question: &str) -> Result<bool, Failure> {
        if yes {
            return Ok(true);
        }
        if self.ui.can_ask() {
            return Ok(self.ui.ask(question));
        }
        Err(Failure::new(Code::Usage, "this needs a person's yes, and there is no terminal to ask on")
            .hint("add --yes to go ahead, or --dry-run to see what would be done"))
    }

    /// ` -c loans.yaml`, as it was given, for a command to paste. Empty when no file was named.
    pub fn config_option(&self) -> String {
        self.globals.config.iter().fold(String::new(), |text, path: &PathBuf| format!("{text} -c {}", quoted(path)))
    }

    /// Runs a future on a runtime of its own.
    ///
    /// # Errors
    /// When the system refuses the threads, or what the future returns.
    pub fn block_on<T>(&self, future: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::caused(Code::Failed, &error).context("cannot start worker threads"))?;
        let result = runtime.block_on(future);
        // A thread that hangs in a system call must not keep the process.
        runtime.shutdown_background();
        result
    }
}

/// Gives a worker one parameter's value, from `name=value`.
fn give(worker: &mut Worker, text: &str) -> Result<(), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    let is_named = params::named(worker).contains(name);
    let names: Vec<String> = worker.params.iter().map(|param| format!("`{}`", param.name)).collect();
    let Some(param) = worker.params.iter_mut().find(|param| param.name == name) else {
        let there = if names.is_empty() { "it has none".to_owned() } else { format!("there are {}", names.join(", ")) };
        return Err(format!("the worker file has no parameter `{name}` under `params`; {there}"));
    };
    if param.is_given {
        return Err("it was given twice".to_owned());
    }
    if !is_named {
        return Err(format!(
            "no SQL of the worker file names `{{{name}}}`, so the value would change nothing; name it in a file's `where`, in \
             `source.query`, or among the arguments in `source.view`"
        ));
    }
    let kind = param.kind;
    let is_number = matches!(kind, ParamKind::Integer | ParamKind::Decimal);
    if is_number && kind.read(value).is_some() && ParamKind::guess(value).is_none() {
        let (word, text) = (kind.as_str(), "where a text is meant, give the parameter `type: text` in the worker file");
        return Err(format!("a parameter of type {word} takes no leading zero and no `+`: leave it out; {text}"));
    }
    let value = kind.read(value).ok_or_else(|| format!("this is no {}; write {}", kind.as_str(), kind.form()))?;
    (param.value, param.is_given) = (Some(value), true);
    Ok(())
}

/// A path as a POSIX shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+' | ':' | '@' | '%' | ',');
    if !text.is_empty() && text.chars().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_can_be_pasted_into_a_shell() {
        assert_eq!(quoted(Path::new("a/b-1.yaml")), "a/b-1.yaml");
        assert_eq!(quoted(Path::new("my loans.yaml")), "'my loans.yaml'");
        assert_eq!(quoted(Path::new("it's.yaml")), r"'it'\''s.yaml'");
    }
}
