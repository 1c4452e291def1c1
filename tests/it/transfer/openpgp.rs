//! Files that are encrypted and signed as OpenPGP: GnuPG reads them, and its keys decide.

use super::filter_files::{checked, refused, rig, told};
use super::rig::{Rig, bytes};
use crate::support::filegen::{Done, Filegen};
use crate::support::gnupg::Gnupg;
use serde_json::json;
use std::fs;

/// The passphrase of the key that signs.
const PASSPHRASE: &str = "a s3cret phrase";

/// Runs with the passphrase in the environment.
fn run(rig: &Rig, args: &str) -> Done {
    let mut command = rig.filegen.command(&format!("{args} -c t.yaml"));
    Filegen::finish(command.env("OPENPGP_PASSPHRASE", PASSPHRASE))
}

fn partner(gnupg: &Gnupg, rig: &Rig) -> String {
    let fingerprint = gnupg.key("partner@x.example", ("ec", "encr"), "1y", None, "");
    gnupg.export("partner@x.example", &rig.filegen.path("partner.asc"), true);
    fingerprint
}

#[test]
fn gnupg_reads_and_verifies_what_was_encrypted_and_signed() {
    let (ours, theirs, others) = (Gnupg::new(), Gnupg::new(), Gnupg::new());
    let rig = rig("[{ openpgp: { recipients: [partner.asc, other.pgp], sign: { key: sign.asc } } }]");
    partner(&theirs, &rig);
    others.key("other@x.example", ("rsa", "encr"), "never", None, "");
    others.export("other@x.example", &rig.filegen.path("other.pgp"), false);
    ours.key("us@x.example", ("ec", "sign"), "1y", None, PASSPHRASE);
    // The primary key stays where it is, as people do it.
    ours.export_secret("us@x.example", &rig.filegen.path("sign.asc"), "--export-secret-subkeys", PASSPHRASE);
    let public = rig.filegen.path("us.asc");
    ours.export("us@x.example", &public, true);
    let sizes = [0, 1, 65_536, 900_000];
    for size in sizes {
        rig.put(&format!("name{size}.csv"), &bytes(size, 5));
    }
    run(&rig, "transfer run").exits(0);
    for (reader, trusts) in [(&theirs, true), (&others, false)] {
        if trusts {
            reader.import(&public);
        }
        for size in sizes {
            let file = rig.filegen.path(&format!("target/name{size}.csv.pgp"));
            let opened = reader.open(&file);
            if trusts {
                assert!(opened.content.as_deref() == Some(&bytes(size, 5)), "{size}: {}", opened.status);
                assert!(
                    opened.status.contains("GOODSIG") && opened.status.contains("us@x.example"),
                    "{}",
                    opened.status
                );
            } else {
                assert!(
                    opened.status.contains("DECRYPTION_OKAY") && opened.status.contains("ERRSIG"),
                    "{}",
                    opened.status
                );
            }
            // A modification detection code and AES-256, which each GnuPG has, and no name.
            assert!(opened.status.contains("DECRYPTION_INFO 2 9 0"), "{}", opened.status);
            assert!(opened.status.contains("PLAINTEXT 62 "), "{}", opened.status);
            let packets = reader.packets(&file);
            assert_eq!(packets.matches(":pubkey enc packet:").count(), 2, "{packets}");
            assert!(!packets.contains(":compressed packet:") && packets.contains("name=\"\""), "{packets}");
            assert!(!packets.contains(&format!("name{size}")), "{packets}");
        }
    }
    assert!(ours.open(&rig.filegen.path("target/name1.csv.pgp")).content.is_none(), "we cannot read it ourselves");
    assert!(rig.names("work").is_empty());
    let mut spoilt = rig.files("target")["name900000.csv.pgp"].clone();
    let at = spoilt.len() / 2;
    spoilt[at] ^= 1;
    fs::write(rig.filegen.path("spoilt"), spoilt).unwrap();
    assert!(theirs.open(&rig.filegen.path("spoilt")).content.is_none());
}

/// Encryption gives other bytes each time: what a killed run has made is what arrives. As text, behind gzip, to two in one file.
#[test]
fn a_killed_run_sends_the_very_bytes_that_it_encrypted() {
    let (theirs, others) = (Gnupg::new(), Gnupg::new());
    let rig = rig("[{ gzip: {} }, { openpgp: { recipients: [both.asc], armor: true } }]");
    partner(&theirs, &rig);
    others.key("other@x.example", ("ec", "encr"), "1y", None, "");
    others.export("other@x.example", &rig.filegen.path("other.asc"), true);
    rig.filegen.write("both.asc", &format!("{}\n{}", rig.filegen.read("partner.asc"), rig.filegen.read("other.asc")));
    for point in ["transfer.made", "transfer.published"] {
        let content = bytes(300_000, 3);
        rig.put(point, &content);
        assert_eq!(rig.run_with(&format!("{point}=return")).code, None, "{point}");
        let there = rig.files("work").into_iter().chain(rig.files("target"));
        let made: Vec<Vec<u8>> =
            there.map(|(_, bytes)| bytes).filter(|bytes| bytes.starts_with(b"-----BEGIN")).collect();
        rig.run(0);
        let name = format!("{point}.gz.asc");
        assert!(made.contains(&rig.files("target")[&name]), "{point}");
        for reader in [&theirs, &others] {
            let opened = reader.open(&rig.filegen.path(&format!("target/{name}")));
            let mut unpacked = Vec::new();
            let packed = opened.content.expect(&opened.status);
            std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut unpacked).unwrap();
            assert!(unpacked == content, "{point}");
        }
    }
}

#[test]
fn a_key_at_its_end_sets_its_files_aside_until_it_is_renewed() {
    let gnupg = Gnupg::new();
    let rig = rig("[{ openpgp: { recipients: [partner.asc] } }]");
    let export = || {
        let _ = fs::remove_file(rig.filegen.path("partner.asc"));
        gnupg.export("partner@x.example", &rig.filegen.path("partner.asc"), true);
    };
    let key = gnupg.key("partner@x.example", ("ec", "encr"), "1y", Some("20200101T000000"), "");
    export();
    rig.put("a", b"1");
    let ended = "was valid until 2020-12-31T";
    let found = told(&rig, 3, "recipient");
    assert!(found[0].starts_with("fail ") && found[0].contains(ended), "{found:?}");
    let problem = checked(&rig);
    assert!(problem.contains(ended) && problem.starts_with("deliver.filters[0].openpgp.recipients[0]: "), "{problem}");
    assert_eq!(rig.run(4)["failed"], json!(1));
    let (kind, reason) = refused(&rig, "a");
    assert!(kind == "refused" && reason.contains(ended) && reason.contains(&key[key.len() - 16..]), "{reason}");
    assert!(rig.names("target").is_empty() && rig.names("work").is_empty());
    // Renewed, and for a few days: that is told.
    gnupg.renew(&key, "10d");
    export();
    let found = told(&rig, 0, "recipient");
    assert!(found[0].starts_with("warn ") && found[0].contains("get the renewed key"), "{found:?}");
    rig.transfer("redrive --all --kind refused --reason renewed").exits(0);
    rig.run(0);
    assert_eq!(gnupg.open(&rig.filegen.path("target/a.pgp")).content.as_deref(), Some(&b"1"[..]));
    gnupg.renew(&key, "1y");
    export();
    assert!(told(&rig, 0, "recipient")[0].starts_with("pass "));
    gnupg.revoke(&key);
    export();
    rig.put("b", b"2");
    assert!(told(&rig, 3, "recipient")[0].contains("was revoked at 20"));
    rig.run(4);
    assert!(refused(&rig, "b").1.contains("was revoked at 20"));
    assert_eq!(rig.names("target"), ["a.pgp"]);
}

#[test]
fn keys_that_cannot_be_used_are_told_before_anything_and_no_secret_is_shown() {
    let (ours, theirs) = (Gnupg::new(), Gnupg::new());
    let rig = rig("[{ openpgp: { recipients: [to], sign: { key: from } } }]");
    partner(&theirs, &rig);
    ours.key("us@x.example", ("ec", "sign"), "1y", None, PASSPHRASE);
    let path = |name: &str| rig.filegen.path(name);
    ours.export("us@x.example", &path("us.asc"), true);
    ours.export_secret("us@x.example", &path("secret.asc"), "--export-secret-keys", PASSPHRASE);
    theirs.export("partner@x.example", &path("whole"), false);
    let whole = fs::read(path("whole")).unwrap();
    theirs.key("curve@x.example", ("brainpool", "encr"), "1y", None, "");
    theirs.export("curve@x.example", &path("curve.asc"), true);
    // The last signature, which says what the subkey is for, with one bit that is another.
    let mut forged = whole.clone();
    *forged.last_mut().unwrap() ^= 1;
    fs::write(path("forged"), forged).unwrap();
    fs::write(path("cut"), &whole[..whole.len() - 40]).unwrap();
    rig.filegen.write("text", "no key");
    rig.put("a", b"1");
    for (to, from, phrase, why) in [
        ("partner.asc", "secret.asc", "an0ther", "cannot be unlocked with this passphrase"),
        ("partner.asc", "secret.asc", "", "without a passphrase"),
        ("partner.asc", "us.asc", PASSPHRASE, "public key alone"),
        ("partner.asc", "text", PASSPHRASE, "no key of OpenPGP"),
        ("us.asc", "secret.asc", PASSPHRASE, "no subkey that is encrypted to"),
        ("secret.asc", "secret.asc", PASSPHRASE, "it has a secret key"),
        ("forged", "secret.asc", PASSPHRASE, "no subkey that is encrypted to"),
        ("cut", "secret.asc", PASSPHRASE, ""),
        ("curve.asc", "secret.asc", PASSPHRASE, "its kind of key is not taken"),
        ("text", "secret.asc", PASSPHRASE, "no certificate of OpenPGP"),
        ("none", "secret.asc", PASSPHRASE, "No such file"),
    ] {
        let file =
            format!("[{{ openpgp: {{ recipients: [{to}], sign: {{ key: {from}, passphrase: '{phrase}' }} }} }}]");
        let file = if phrase.is_empty() { file.replace(", passphrase: ''", "") } else { file };
        rig.change(&[("  name: \"{{ folder }}{{ name }}\"\n", &format!("  filters: {file}\n  work: work\n"))]);
        for command in ["config check", "doctor", "transfer run"] {
            let told = rig.filegen.run(&format!("{command} -c t.yaml")).exits(3);
            let all = told.stdout + &told.stderr;
            assert!(all.split_whitespace().collect::<Vec<_>>().join(" ").contains(why), "{to}, {from}: {all}");
            assert!(!all.contains("s3cret") && !all.contains("an0ther"), "{all}");
        }
        assert!(rig.names("in") == ["a"] && rig.names("error").is_empty() && rig.names("target").is_empty(), "{to}");
    }
    let right = "  filters: [{ openpgp: { recipients: [partner.asc], sign: { key: secret.asc, passphrase: 'a s3cret phrase' } } }]\n";
    rig.change(&[("  name: \"{{ folder }}{{ name }}\"\n", &format!("{right}  work: work\n  nonsense: 1\n"))]);
    assert!(!rig.filegen.run("config check -c t.yaml").exits(3).stderr.contains("s3cret"), "beside another fault");
    rig.change(&[("  name: \"{{ folder }}{{ name }}\"\n", &format!("{right}  work: work\n"))]);
    let shown = rig.filegen.run("config show -c t.yaml").exits(0).stdout;
    assert!(shown.contains("passphrase: ") && !shown.contains("s3cret"), "{shown}");
    rig.run(0);
    assert_eq!(rig.names("target"), ["a.pgp"]);
}
