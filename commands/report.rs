//! Prints how a command ended: a failure with its causes and its hint, or what clap has to say.

use super::context::Context;
use super::exit::{Code, CommandEnd};
use super::failure::Failure;
use super::ui::{json, line};
use serde::Serialize;
use std::io::Write as _;
use std::process::ExitCode;

/// Prints a failure, if there is one, and gives the process its exit code.
pub(super) fn end(context: &Context, ended: Result<CommandEnd, Failure>) -> ExitCode {
    let code = match ended {
        Ok(CommandEnd::Done) => Code::Done,
        Ok(CommandEnd::Ended(code)) => code,
        Err(failure) => {
            show(context, &failure);
            failure.code
        }
    };
    ExitCode::from(code as u8)
}

/// An error as JSON on stderr.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorLine<'a> {
    error: &'a str,
    causes: &'a [String],
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problems: Option<&'a serde_json::Value>,
    exit_code: u8,
}

fn show(context: &Context, failure: &Failure) {
    let hint = failure.hint.as_ref().map(|hint| hint.replace("{c}", &context.config_option()));
    let (first, causes) = failure.messages.split_first().map_or(("failed", &[][..]), |(f, c)| (f.as_str(), c));
    if context.ui.is_json() {
        let problems = failure.problems.as_ref();
        let error = [&[first.to_owned()], failure.details.as_slice()].concat().join("\n");
        let line = ErrorLine { error: &error, causes, hint, problems, exit_code: failure.code as u8 };
        context.ui.error_line(&json::line(&line));
        return;
    }
    let mut text = String::new();
    if let Some(report) = &failure.report {
        text.push_str(&context.ui.render_report(report));
    } else {
        line(&mut text, format_args!("{} {first}", context.ui.paint_error("error:")));
        for detail in &failure.details {
            line(&mut text, format_args!("{detail}"));
        }
        for cause in causes {
            line(&mut text, format_args!("  caused by: {cause}"));
        }
    }
    if let Some(hint) = hint {
        line(&mut text, format_args!("{} {hint}", context.ui.paint_hint("hint:")));
    }
    context.ui.error_lines(text.trim_end());
}

/// Prints what clap has to say (help and version to stdout, wrong usage to stderr) and gives the exit code.
pub(super) fn usage(error: &clap::Error, as_json: bool) -> ExitCode {
    if error.use_stderr() && as_json {
        let text = error.to_string();
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let first = lines.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        let hint = "`filegen --help` shows the commands and options".to_owned();
        let line =
            ErrorLine { error: &first, causes: &[], hint: Some(hint), problems: None, exit_code: Code::Usage as u8 };
        let _ = writeln!(std::io::stderr(), "{}", json::line(&line));
    } else {
        // A closed pipe is no error of ours.
        let _ = error.print();
    }
    ExitCode::from(if error.use_stderr() { Code::Usage as u8 } else { Code::Done as u8 })
}
