//! What every command gets: options, the worker file on demand, a runtime on demand. Nothing is connected before it is used.

use super::cli::Globals;
use super::exit::{Code, Failure};
use super::ui::Ui;
use crate::Registry;
use crate::config::{self, Environment, Loaded};
use crate::core::model::spec::Worker;
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

impl Context {
    /// Reads nothing but the options and whether the streams are terminals.
    pub fn new(globals: Globals, registry: Registry) -> Self {
        let ui = Ui::new(&globals);
        Self { globals, ui, registry: Arc::new(registry) }
    }

    /// The one worker file that was named.
    ///
    /// # Errors
    /// Wrong usage, when none or several were.
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
        Ok(Arc::new(self.load()?.worker))
    }

    /// ` -c loans.yaml`, as it was given, to stand in a command to paste; empty when none was.
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
