//! Files that are encrypted with age: its own program reads them.

use super::filter_files::{rig, told};
use super::rig::{Rig, bytes};
use crate::support::sftp::keys;
use sha2::{Digest, Sha256};
use std::fs;
use std::process::Command;

/// Makes a pair of keys of age in the rig's folder. The public one.
fn pair(rig: &Rig, name: &str) -> String {
    let path = rig.filegen.path(name);
    let made = Command::new("age-keygen").arg("-o").arg(&path).output().expect("age-keygen runs: `apt install age`");
    assert!(made.status.success(), "{made:?}");
    let text = fs::read_to_string(path).unwrap();
    text.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap().to_owned()
}

/// What age's own program reads with a key of the rig's folder.
fn read(rig: &Rig, key: &str, file: &str) -> Option<Vec<u8>> {
    let mut age = Command::new("age");
    let done = age.arg("-d").arg("-i").arg(rig.filegen.path(key)).arg(rig.filegen.path(file)).output().unwrap();
    done.status.success().then_some(done.stdout)
}

#[test]
fn each_recipient_reads_the_file_with_ages_own_program_and_nobody_else() {
    let rig = rig("[{ gzip: {} }, { age: { recipients: [], recipients_file: people } }]");
    let (one, other, _) = (pair(&rig, "one"), pair(&rig, "other"), pair(&rig, "stranger"));
    keys(&rig.filegen.path("ssh"), "ed25519", "");
    let ssh = rig.filegen.read("ssh.pub");
    rig.filegen.write("people", &format!("# who reads it\n\n{other}\r\n{ssh}"));
    let text = rig.filegen.read("t.yaml").replace("recipients: []", &format!("recipients: [{one}]"));
    rig.filegen.write("t.yaml", &text.replace("{ gzip: {} }, ", ""));
    // Around the ends of what is sealed together.
    let sizes = [0, 1, 65_535, 65_536, 65_537, 131_072, 600_000];
    for size in sizes {
        rig.put(&format!("f{size}"), &bytes(size, 7));
    }
    rig.run(0);
    assert_eq!(rig.names("target").len(), sizes.len());
    for size in sizes {
        let file = format!("target/f{size}.age");
        for key in ["one", "other", "ssh"] {
            assert!(read(&rig, key, &file) == Some(bytes(size, 7)), "{size} bytes, {key}");
        }
        assert_eq!(read(&rig, "stranger", &file), None);
    }
    assert!(told(&rig, 0, "recipients")[0].contains("encrypts to 3 recipients"));
    assert!(rig.names("work").is_empty());
    rig.transfer("verify").exits(0);
    // One bit that is another is seen.
    let mut spoilt = rig.files("target")["f600000.age"].clone();
    let at = spoilt.len() - 9;
    spoilt[at] ^= 1;
    fs::write(rig.filegen.path("spoilt"), spoilt).unwrap();
    assert_eq!(read(&rig, "one", "spoilt"), None);
}

/// Encryption gives other bytes each time: what a killed run has made is what arrives.
#[test]
fn a_killed_run_sends_the_very_bytes_that_it_encrypted() {
    for (point, is_kept) in [("transfer.filtered", false), ("transfer.made", true), ("transfer.published", true)] {
        let rig = rig("[{ age: { recipients_file: people } }]");
        let one = pair(&rig, "one");
        rig.filegen.write("people", &one);
        rig.put("a", &bytes(60_000, 3));
        assert_eq!(rig.run_with(&format!("{point}=return")).code, None, "{point}");
        let made = rig.files("work").into_iter().chain(rig.files("target"));
        let made: Vec<Vec<u8>> = made.map(|(_, bytes)| bytes).filter(|bytes| bytes.starts_with(b"age-")).collect();
        assert!(!made.is_empty(), "{point}");
        rig.run(0);
        let arrived = &rig.files("target")["a.age"];
        assert_eq!(made.contains(arrived), is_kept, "{point}");
        let listed = rig.transfer("list --name a --output json").exits(0).json();
        let made = listed["files"].as_array().unwrap().iter().find_map(|file| file["made"]["sha256"].as_str());
        assert_eq!(made, Some(hex::encode(Sha256::digest(arrived)).as_str()), "{point}");
        assert!(read(&rig, "one", "target/a.age") == Some(bytes(60_000, 3)), "{point}");
        assert!(rig.names("work").is_empty(), "{point}");
    }
}

#[test]
fn what_is_no_recipient_is_told_before_anything_and_a_secret_key_is_never_shown() {
    let rig = rig("[{ age: { recipients_file: people } }]");
    let public = pair(&rig, "one");
    let secret = rig.filegen.read("one").lines().last().unwrap().to_owned();
    rig.put("a", b"1");
    let mut wrong = public.clone();
    wrong.replace_range(10..11, if &wrong[10..11] == "q" { "p" } else { "q" });
    for (people, why) in [
        (None, "No such file"),
        (Some(String::new()), "there is no recipient"),
        (Some(format!("{public}\n{wrong}\n")), "line 2: this is no recipient"),
        (Some(format!("\n{secret}\n")), "line 2: this is a secret key"),
        (Some("age1pq1xyz".to_owned()), "post-quantum"),
        (Some("ssh-rsa AAAA".to_owned()), "`ssh-ed25519` alone"),
        (Some("ssh-ed25519 AAAA".to_owned()), "no key of SSH"),
        (Some(format!("{public}\n")), ""),
    ] {
        let is_right = why.is_empty();
        if let Some(people) = people {
            rig.filegen.write("people", &people);
        }
        let code = if is_right { 0 } else { 3 };
        let checked = rig.filegen.run("config check -c t.yaml").exits(code);
        let found = told(&rig, code, "recipients");
        let run = rig.transfer("run").exits(code);
        for text in [&checked.stderr, &found[0], &run.stderr] {
            assert!(text.contains(why), "{why}: {text}");
            assert!(!text.contains(&secret), "{text}");
        }
        assert!(is_right || rig.names("in") == ["a"] && rig.names("error").is_empty());
    }
    assert_eq!(rig.names("target"), ["a.age"]);
    let text = rig.filegen.read("t.yaml").replace("recipients_file: people", &format!("recipients: [{secret}]"));
    rig.filegen.write("t.yaml", &text);
    let checked = rig.filegen.run("config check -c t.yaml").exits(3);
    assert!(checked.stderr.contains("no public key of age") && !checked.stderr.contains(&secret), "{}", checked.stderr);
    assert!(!rig.filegen.run("config show -c t.yaml").stderr.contains(&secret));
}
