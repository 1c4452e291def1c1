//! Keys that a program of this host prints: `credential_process` of AWS's files. It is started without a shell, has a time and a most that
//! it prints, and ends with all that it has started. What it prints and what it complains of is never shown: there are keys in it.

use super::fault::Fault;
use super::keys::Keys;
use crate::core::model::secret::Secret;
use crate::core::model::shown;
use jiff::Timestamp;
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::Duration;
use tokio::time::Instant;

/// How long it may take: as long as a person takes that it asks elsewhere.
pub(super) const WITHIN: Duration = Duration::from_mins(1);

/// Most that it prints, in bytes.
const PRINTED_MAX: u64 = 64 << 10;

/// Between two looks whether it has ended, once it has closed what it prints to.
const LOOK: Duration = Duration::from_millis(5);

/// What is printed.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    version: u64,
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    session_token: Option<String>,
    expiration: Option<String>,
}

/// The keys that the program of a profile prints.
pub(super) async fn keys(profile: &str, command: &str, within: Duration) -> Result<Keys, Fault> {
    let of = format!("`credential_process` of the profile `{}`", shown::name(profile));
    let unusable = |why: &str| Fault::Unusable(format!("{of} {why}"));
    let words = words(command).map_err(&unusable)?;
    let late = || Fault::Away(format!("{of} gave no keys within {} s, and was ended", within.as_secs()));
    let until = Instant::now() + within;
    let (mut program, out) =
        Running::start(&words).map_err(|error| unusable(&format!("cannot be started: {error}")))?;
    let reading = tokio::task::spawn_blocking(move || read(out));
    let printed = tokio::time::timeout_at(until, reading).await.map_err(|_| late())?;
    let printed = match printed {
        Ok(Ok(printed)) => printed,
        Ok(Err(error)) => return Err(unusable(&format!("cannot be read: {error}"))),
        Err(_) => return Err(unusable("cannot be read: the process stops")),
    };
    if printed.len() as u64 > PRINTED_MAX {
        return Err(unusable(&format!("prints more than {PRINTED_MAX} bytes")));
    }
    let status = program.ended(until).await.map_err(|error| unusable(&error.to_string()))?.ok_or_else(late)?;
    if !status.success() {
        return Err(unusable(&format!("failed with {status}; run it by hand, as this process's user, to see why")));
    }
    // No error repeats any of it.
    let printed: Printed = serde_json::from_slice(&printed).map_err(|_| {
        unusable("prints no JSON as AWS's tools expect it: `Version`, `AccessKeyId`, `SecretAccessKey`")
    })?;
    printed.keys().map_err(unusable)
}

impl Printed {
    fn keys(self) -> Result<Keys, &'static str> {
        if self.version != 1 {
            return Err("prints keys of a `Version` that is not 1");
        }
        let (Some(access), Some(secret)) = (self.access_key_id, self.secret_access_key) else {
            return Err("prints no `AccessKeyId`, or no `SecretAccessKey`");
        };
        let until = self.expiration.map(|until| until.parse::<Timestamp>()).transpose();
        let until = until.map_err(|_| "prints an `Expiration` that is no time as ISO 8601 has it")?;
        if until.is_some_and(|until| until <= Timestamp::now()) {
            return Err("prints keys that have ended");
        }
        Ok(Keys { access, secret: Secret::new(secret), token: self.session_token.map(Secret::new), until })
    }
}

/// A program that is ended with all that it has started when nobody waits for it any more.
struct Running(Option<Child>);

impl Running {
    fn start(words: &[String]) -> io::Result<(Self, ChildStdout)> {
        let (program, arguments) = words.split_first().ok_or(io::ErrorKind::InvalidInput)?;
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
        let mut child = command.spawn()?;
        let out = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok((Self(Some(child)), out))
    }

    /// How it ended. `None`: it has not by then.
    async fn ended(&mut self, until: Instant) -> io::Result<Option<ExitStatus>> {
        let Some(child) = &mut self.0 else { return Ok(None) };
        loop {
            if let Some(status) = child.try_wait()? {
                self.0 = None;
                return Ok(Some(status));
            }
            if Instant::now() >= until {
                return Ok(None);
            }
            tokio::time::sleep(LOOK).await;
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(mut child) = self.0.take() else { return };
        // It was not waited for yet: its number is nobody else's.
        let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
        std::thread::spawn(move || child.wait());
    }
}

fn read(out: ChildStdout) -> io::Result<Vec<u8>> {
    let mut printed = Vec::new();
    out.take(PRINTED_MAX + 1).read_to_end(&mut printed)?;
    Ok(printed)
}

/// The words of a command line, with quotes and backslashes as POSIX has them, and nothing else: no variable, no `~`, no pattern.
fn words(text: &str) -> Result<Vec<String>, &'static str> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut rest = text.chars();
    while let Some(sign) = rest.next() {
        match (quote, sign) {
            (Some(open), sign) if sign == open => quote = None,
            (None, '\'' | '"') => {
                quote = Some(sign);
                word.get_or_insert_default();
            }
            (None, sign) if sign.is_whitespace() => words.extend(word.take()),
            (None, '\\') => word.get_or_insert_default().push(rest.next().ok_or("ends with a backslash")?),
            (Some('"'), '\\') => {
                let next = rest.next().ok_or("has a quote that is not closed")?;
                let word = word.get_or_insert_default();
                if !matches!(next, '"' | '\\' | '$' | '`') {
                    word.push('\\');
                }
                word.push(next);
            }
            (_, sign) => word.get_or_insert_default().push(sign),
        }
    }
    if quote.is_some() {
        return Err("has a quote that is not closed");
    }
    words.extend(word);
    if words.is_empty() { Err("is empty") } else { Ok(words) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapters::s3::tests::program;

    #[test]
    fn a_command_line_has_words_and_no_more() {
        for (text, wanted) in [
            ("a b  c", Ok(&["a", "b", "c"][..])),
            ("\"/opt/my tools/keys\" --for 'a $HOME \"b\"'", Ok(&["/opt/my tools/keys", "--for", "a $HOME \"b\""])),
            ("a\\ b \"c\\\"d\\e\" ''", Ok(&["a b", "c\"d\\e", ""])),
            ("x'y'\"z\" ~/$(id) * | ; >f", Ok(&["xyz", "~/$(id)", "*", "|", ";", ">f"])),
            ("a 'b", Err("has a quote that is not closed")),
            ("a \"b\\", Err("has a quote that is not closed")),
            ("a\\", Err("ends with a backslash")),
            ("  ", Err("is empty")),
        ] {
            let found = words(text);
            let found = found.as_ref().map(|words| words.iter().map(String::as_str).collect::<Vec<_>>());
            assert_eq!(found.as_deref().map_err(|why| **why), wanted, "{text}");
        }
    }

    fn refused(found: Result<Keys, Fault>) -> String {
        let told = found.unwrap_err().told("s3://b", "").to_string();
        assert!(!told.contains("xqzz"), "nothing of what it prints is told: {told}");
        told
    }

    #[tokio::test]
    async fn what_is_no_key_is_told_in_words_and_repeats_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for (script, told) in [
            ("echo xqzz >&2; echo xqzz; exit 3", "failed with exit status: 3"),
            ("kill -9 $$", "failed with signal: 9"),
            ("echo '{\"xqzz\"'", "prints no JSON"),
            (r#"echo '{"Version":2,"AccessKeyId":"xqzz","SecretAccessKey":"xqzz"}'"#, "`Version` that is not 1"),
            (r#"echo '{"Version":1,"AccessKeyId":"xqzz"}'"#, "no `SecretAccessKey`"),
            (
                r#"echo '{"Version":1,"AccessKeyId":"a","SecretAccessKey":"xqzz","Expiration":"soon"}'"#,
                "`Expiration` that is no time",
            ),
            (
                r#"echo '{"Version":1,"AccessKeyId":"a","SecretAccessKey":"xqzz","Expiration":"2020-01-01T00:00:00Z"}'"#,
                "keys that have ended",
            ),
            ("exec yes xqzz", "prints more than 65536 bytes"),
        ] {
            let error = refused(keys("p", &program(folder.path(), script), WITHIN).await);
            assert!(error.contains(told) && error.contains("the profile `p`"), "{script}: {error}");
        }
        assert!(refused(keys("p", "/nowhere/xyz", WITHIN).await).contains("cannot be started"));
    }

    #[tokio::test]
    async fn one_that_hangs_is_ended_with_all_that_it_has_started() {
        let folder = tempfile::tempdir().unwrap();
        let program = program(folder.path(), "sleep 1000 & echo $! >\"$1\"; wait");
        let noted = folder.path().join("noted");
        let command = format!("{program} '{}'", noted.display());
        let found = keys("p", &command, Duration::from_secs(1)).await;
        assert!(matches!(&found, Err(Fault::Away(why)) if why.contains("within 1 s")), "{:?}", found.err());
        let child = std::fs::read_to_string(noted).unwrap();
        let place = std::path::PathBuf::from(format!("/proc/{}/cmdline", child.trim()));
        // Ended, or a name that nobody has taken back yet.
        while std::fs::read(&place).is_ok_and(|line| line.starts_with(b"sleep")) {
            tokio::task::yield_now().await;
        }
    }
}
