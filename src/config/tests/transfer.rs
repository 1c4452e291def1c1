//! Transfer files.

use super::*;
use crate::core::model::filters::{AgeSpec, Each, JsonCheck, OpenPgpSign, OpenPgpSpec, ToolSpec};
use crate::core::model::secret::Secret;
use crate::core::model::sftp::SftpVerify;
use crate::core::transfer::spec::{After, BrokerSpec, OnExists, Organize, TargetSpec, Transfer};
use crate::core::transfer::steps::{Companion, CompanionKind, CsvCheck, Filter, RowCount};

fn read(text: &str, pairs: &[(&str, &str)]) -> Result<Transfer, Vec<String>> {
    let loaded = parse(text, Path::new("/x/t.yaml"), &vars(pairs), &Registry::default());
    loaded
        .and_then(Loaded::into_transfer)
        .map(Arc::unwrap_or_clone)
        .map_err(|error| error.problems.into_iter().map(|problem| problem.message).collect())
}

#[test]
fn the_smallest_file_has_the_defaults_of_the_docs() {
    let transfer = read("transfer: t\ncollect: { directory: in }\ndeliver: { to: { directory: out } }\n", &[]).unwrap();
    let (collect, deliver) = (transfer.collect.unwrap(), transfer.deliver.unwrap());
    assert_eq!((collect.directory.as_path(), collect.pattern.as_str()), (Path::new("/x/in"), "*"));
    assert_eq!((collect.poll, collect.stable_for), (Duration::from_secs(5), Duration::from_secs(2)));
    assert_eq!((collect.after, collect.source.as_str(), collect.done_file), (After::Archive, "t", None));
    assert_eq!(
        (collect.archive.as_path(), collect.error.as_path()),
        (Path::new("/x/data/archive"), Path::new("/x/data/error"))
    );
    assert_eq!(transfer.broker, BrokerSpec::Local("/x/data/spool".into()));
    assert_eq!((deliver.organize_by, deliver.on_exists), (Organize::None, OnExists::Error));
    assert_eq!((deliver.name.as_str(), deliver.permissions), ("{{ stem }}{{ extension }}", Some(0o640)));
    assert_eq!((collect.max_size, deliver.max_size), (10 << 30, 10 << 30));
    let most = |text: &str| read(text, &[]).unwrap().collect.unwrap().max_size;
    let (collect, deliver) = ("transfer: t\ncollect: { directory: in", "deliver: { to: { directory: out }");
    assert_eq!(most(&format!("{collect} }}\n{deliver}, max_size: 150KiB }}\n")), 150 << 10);
    assert_eq!(most(&format!("{collect}, max_size: 1MiB }}\n{deliver}, max_size: 150KiB }}\n")), 150 << 10);
    assert_eq!(most(&format!("{collect}, max_size: 1MiB }}\n{deliver} }}\n")), 1 << 20);
    assert_eq!(most(&format!("{collect}, max_size: 1024GiB }}\n")), 1 << 40);
    assert_eq!(most(&format!("{collect} }}\n")), 10 << 30);
    assert_eq!(transfer.state.reveal(), "sqlite:/x/data/.filegen/transfer.db");
    let policies = transfer.policies;
    assert_eq!((policies.chunk, policies.fsync_every, policies.concurrency), (512 << 10, 16, 16));
    assert_eq!((policies.retry.max_retries, policies.retry.initial_backoff), (4, Duration::from_secs(1)));
    assert_eq!(policies.retry.max_backoff, Duration::from_secs(8));
}

#[test]
fn the_environment_stands_in_for_what_is_left_out() {
    let vars = [
        ("INPUT_DIR", "/i"),
        ("FILE_PATTERN", "*.csv"),
        ("ARCHIVE_DIR", "/a"),
        ("ERROR_DIR", "/e"),
        ("DELETE_AFTER_PROCESSING", "true"),
        ("OUTPUT_DIR", "/o"),
        ("MAX_RETRIES", "7"),
        ("RETRY_BACKOFF_MS", "250"),
    ];
    let transfer = read("transfer: t\ncollect: {}\ndeliver: {}\n", &vars).unwrap();
    let (collect, deliver) = (transfer.collect.unwrap(), transfer.deliver.unwrap());
    assert_eq!((collect.directory.as_path(), collect.pattern.as_str()), (Path::new("/i"), "*.csv"));
    assert_eq!((collect.archive.as_path(), collect.error.as_path()), (Path::new("/a"), Path::new("/e")));
    assert_eq!((collect.after, deliver.to.directory()), (After::Delete, Some(Path::new("/o"))));
    let retry = transfer.policies.retry;
    assert_eq!((retry.max_retries, retry.initial_backoff), (7, Duration::from_millis(250)));
    let kept = read("transfer: t\ncollect: { after: keep }\n", &vars).unwrap();
    assert_eq!(kept.collect.unwrap().after, After::Keep);
    let wrong = [("INPUT_DIR", "/i"), ("DELETE_AFTER_PROCESSING", "perhaps"), ("MAX_RETRIES", "x")];
    let faults = read("transfer: t\ncollect: {}\n", &wrong).unwrap_err();
    assert!(faults.iter().any(|fault| fault.contains("DELETE_AFTER_PROCESSING")), "{faults:?}");
    assert!(faults.iter().any(|fault| fault.contains("MAX_RETRIES")), "{faults:?}");
}

#[test]
fn what_is_not_in_force_yet_or_leads_in_a_circle_is_told_all_at_once() {
    let text = "transfer: t\ncollect: { directory: in, archive: in, done_file: x/y }\n\
                broker: { nats: { url: 'http://h:4222', stream: 'F.x', subject: 'f.*', ack_wait: 1ms } }\n\
                deliver: { to: { s3: 'b/in' } }\n\
                state: { url: 'redis://h/d' }\n";
    let faults = read(text, &[]).unwrap_err();
    for wanted in [
        "no address of NATS",
        "a stream's name",
        "a subject has words",
        "`ack_wait`",
        "of a bucket",
        "`redis:` is no kind",
        "done-file",
    ] {
        assert!(faults.iter().any(|fault| fault.contains(wanted)), "{wanted}: {faults:?}");
    }
    let circle = "transfer: t\ncollect: { directory: in, archive: in }\n";
    assert!(read(circle, &[]).unwrap_err()[0].contains("collected from"));
    assert!(read("transfer: t\n", &[]).unwrap_err()[0].contains("no side"));
    assert!(read("transfer: t\ncollect: {}\n", &[]).unwrap_err()[0].contains("collect.directory"));
    let empty = "transfer: t\ndeliver: { to: { directory: o }, filters: [], companions: [], on_exists: same }\n";
    assert_eq!(read(empty, &[]).unwrap().deliver.unwrap().on_exists, OnExists::Error);
}

#[test]
fn a_ledger_in_mongodb_is_taken_from_file_or_environment_and_wants_a_broker_of_several_hosts() {
    let nats = "transfer: t\ncollect: { directory: in }\nbroker: { nats: { url: 'nats://h' } }\n";
    let at = [("MONGO_CONNECTION_STRING", "mongodb://m/filegen")];
    let of = |text: &str, vars: &[(&str, &str)]| read(text, vars).map(|read| read.state.reveal().to_owned());
    assert_eq!(of(nats, &at).as_deref(), Ok("mongodb://m/filegen"));
    let own = format!("{nats}state: {{ url: 'mongodb://h/d' }}\n");
    assert_eq!(of(&own, &at).as_deref(), Ok("mongodb://h/d"));
    assert!(of(nats, &[]).unwrap().ends_with("data/.filegen/transfer.db"));
    for (spool, vars) in [
        ("transfer: t\ncollect: { directory: in }\n", &at[..]),
        ("transfer: t\ncollect: { directory: in }\nbroker: { local: s }\nstate: { url: 'mongodb://h/d' }\n", &[]),
    ] {
        let faults = read(spool, vars).unwrap_err();
        assert!(faults.len() == 1 && faults[0].contains("one host's"), "{faults:?}");
    }
    let local = "transfer: t\ncollect: { directory: in }\nstate: { url: 'sqlite:l.db' }\n";
    assert!(of(local, &at).unwrap().starts_with("sqlite:"), "the file's own word counts");
}

#[test]
fn a_broker_is_a_folder_or_nats_and_never_both() {
    let of = |broker: &str, vars: &[(&str, &str)]| {
        read(&format!("transfer: t\ncollect: {{ directory: in }}\nbroker: {{ {broker} }}\n"), vars).map(|it| it.broker)
    };
    let nats = |broker: &str, vars: &[(&str, &str)]| match of(broker, vars) {
        Ok(BrokerSpec::Nats(spec)) => *spec,
        other => panic!("{other:?}"),
    };
    let spec = nats("nats: { subject: a.b }", &[("NATS_URL", "tls://h"), ("NATS_PASSWORD", "p"), ("NATS_USER", "u")]);
    assert_eq!((spec.url.reveal(), spec.stream.as_str(), spec.subject.as_str()), ("tls://h", "FILES", "a.b"));
    assert_eq!((spec.max_bytes, spec.replicas, spec.ack_wait.as_secs()), (None, 1, 30));
    assert_eq!((spec.login.user.as_deref(), spec.login.password.unwrap().reveal()), (Some("u"), "p"));
    let spec = nats("nats: { credentials: c/a.creds, max_bytes: 1GiB, replicas: 3 }", &[]);
    assert_eq!((spec.url.reveal(), spec.max_bytes, spec.replicas), ("nats://localhost:4222", Some(1 << 30), 3));
    assert_eq!(spec.login.credentials.as_deref(), Some(Path::new("/x/c/a.creds")));
    let spec = nats("nats: { url: 'ann:p@a.bank, b.bank:1' }", &[]);
    assert_eq!(spec.url.reveal(), "nats://ann:p@a.bank,nats://b.bank:1", "what it is, is seen without a scheme too");
    assert!(of("local: s, nats: {}", &[]).unwrap_err()[0].contains("both given"));
}

#[test]
fn a_target_is_a_folder_or_a_server_that_somebody_can_log_in_to() {
    let of = |to: &str, vars: &[(&str, &str)]| {
        read(&format!("transfer: t\ndeliver:\n  to: {{ {to} }}\n"), vars).map(|it| it.deliver.unwrap())
    };
    let sftp = |to: &str, vars: &[(&str, &str)]| match of(to, vars).map(|deliver| deliver.to) {
        Ok(TargetSpec::Sftp(spec)) => *spec,
        other => panic!("{to}: {other:?}"),
    };
    let digest = "SHA256:uNiVztksCsDhcc0u9e8BrndHRjPvnQgEuOhCvXWNj0E";
    let spec = sftp("sftp: 'sftp://u@h/in', key: k/id", &[("HOME", "/home/u"), ("SFTP_PASSWORD", "p")]);
    assert_eq!((spec.login.key.as_deref(), spec.login.password.unwrap().reveal()), (Some(Path::new("/x/k/id")), "p"));
    let hosts = ["/home/u/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts"].map(PathBuf::from);
    assert_eq!((spec.known_hosts, spec.verify), (hosts.to_vec(), SftpVerify::Content));
    let spec =
        sftp(&format!("sftp: 'sftp://u:p@h/in', known_hosts: [a, /b], fingerprint: '{digest}', verify: size"), &[]);
    assert_eq!(spec.known_hosts, ["/x/a", "/b"].map(PathBuf::from));
    assert_eq!((spec.fingerprints, spec.verify), (vec![digest.to_owned()], SftpVerify::Size));
    assert!(sftp("sftp: 'sftp://u@h/in', agent: true", &[]).login.has_agent);
    let text = "transfer: t\ndeliver:\n  to: { sftp: 'sftp://u@h/in', agent: true }\n  permissions: server\n";
    assert_eq!(read(text, &[]).unwrap().deliver.unwrap().permissions, None);
    for (to, why) in [
        ("sftp: 'sftp://u@h/in'", "nothing says how to log in"),
        ("sftp: 'ssh://u@h/in', agent: true", "no address of an SFTP server"),
        ("directory: o, sftp: 'sftp://u@h/in', agent: true", "both given"),
        ("directory: o, key: k", "`key` says something of an SFTP server"),
        ("directory: o, verify: size", "`verify` says something of an SFTP server"),
        ("sftp: 'sftp://u@h/in', agent: true, fingerprint: MD5:00", "no SHA-256 fingerprint"),
        ("sftp: 'sftp://u@h/in', agent: true, fingerprint: ['SHA256:x']", "no SHA-256 fingerprint"),
        ("sftp: 'sftp://u@h/in', agent: true, verify: hope", "`verify`"),
    ] {
        let faults = of(to, &[]).unwrap_err();
        assert!(faults.iter().any(|fault| fault.contains(why)), "{to}: {faults:?}");
    }
    let text = "transfer: t\ndeliver:\n  to: { directory: o }\n  permissions: server\n";
    assert!(read(text, &[]).unwrap_err()[0].contains("octal"));
}

#[test]
fn a_bucket_is_taken_with_what_says_how_to_reach_it() {
    let of = |to: &str, more: &str, vars: &[(&str, &str)]| {
        let text = format!("transfer: t\ndeliver:\n  to: {{ {to} }}\n{more}");
        read(&text, vars).map(|it| it.deliver.unwrap())
    };
    let vars =
        [("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "b"), ("AWS_ENDPOINT_URL", "https://e"), ("OTHER", "x")];
    let deliver = of("s3: 's3://files/in', region: r, path_style: false, ca: ca.pem, profile: p", "", &vars).unwrap();
    assert_eq!(deliver.permissions, None);
    let TargetSpec::S3(spec) = deliver.to else { panic!("{:?}", deliver.to) };
    assert_eq!((spec.url.reveal(), spec.endpoint.as_ref().unwrap().reveal()), ("s3://files/in", "https://e"));
    assert_eq!((spec.region.as_deref(), spec.path_style, spec.profile.as_deref()), (Some("r"), Some(false), Some("p")));
    assert_eq!((spec.ca.as_deref(), spec.variable("AWS_SECRET_ACCESS_KEY")), (Some(Path::new("/x/ca.pem")), Some("b")));
    assert!(spec.variable("OTHER").is_none() && spec.variables.len() == 3, "{:?}", spec.variables);
    assert!(!format!("{spec:?}").contains("\"b\""));
    let folder = tempfile::tempdir().unwrap();
    let (key, none) = (folder.path().join("key"), folder.path().join("none"));
    std::fs::write(&key, "k3y\n").unwrap();
    let file = |path: &Path| of("s3: 's3://files/in'", "", &[("AWS_SECRET_ACCESS_KEY_FILE", path.to_str().unwrap())]);
    let TargetSpec::S3(spec) = file(&key).unwrap().to else { panic!("no bucket") };
    assert_eq!(spec.variable("AWS_SECRET_ACCESS_KEY"), Some("k3y"));
    let told = file(&none).unwrap_err();
    assert!(told[0].contains("AWS_SECRET_ACCESS_KEY_FILE") && told[0].contains("No such file"), "{told:?}");
    // AWS's own variable: that file is read anew each time.
    let TargetSpec::S3(spec) =
        of("s3: 's3://files/in'", "", &[("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "/none")]).unwrap().to
    else {
        panic!("no bucket")
    };
    assert!(spec.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").is_none(), "{:?}", spec.variables.keys());
    for (to, more, why) in [
        ("s3: 'http://files/in'", "", "no address of a bucket"),
        ("directory: o, s3: 's3://files/in'", "", "both given"),
        ("s3: 's3://files/in', key: k", "", "`key` says something of an SFTP server"),
        ("directory: o, region: r", "", "`region` says something of an object store"),
        ("s3: 's3://files/in'", "  permissions: '0640'\n", "have no `permissions`"),
    ] {
        let faults = of(to, more, &[]).unwrap_err();
        assert!(faults.iter().any(|fault| fault.contains(why)), "{to}: {faults:?}");
    }
}

#[test]
fn filters_and_companions_are_taken_in_order_and_name_what_they_make() {
    let deliver = |steps: &str| {
        let text = format!("transfer: t\ndeliver:\n  to: {{ directory: o }}\n{steps}");
        read(&text, &[]).map(|transfer| transfer.deliver.unwrap())
    };
    let all = "  filters:\n  - gunzip:\n  - check: { csv: { columns: [id, amount], rows: \">0\", delimiter: \";\" } }\n  \
               - zstd: { level: 7 }\n  - gzip: {}\n  companions: [{ done: \"{{ name }}.done\" }, { sha256: \"{{ stem }}.sum\" }]\n";
    let taken = deliver(all).unwrap();
    let csv =
        CsvCheck { columns: vec!["id".to_owned(), "amount".to_owned()], rows: RowCount::parse(">0"), delimiter: b';' };
    let wanted = [Filter::Gunzip, Filter::CheckCsv(csv), Filter::Zstd { level: 7 }, Filter::Gzip { level: 6 }];
    assert_eq!(taken.filters, wanted);
    assert_eq!(taken.name.as_str(), "{{ name|without('.gz') }}.zst.gz");
    let kinds: Vec<_> = taken.companions.iter().map(|Companion { kind, name }| (*kind, name.as_str())).collect();
    assert_eq!(kinds, [(CompanionKind::Done, "{{ name }}.done"), (CompanionKind::Sha256, "{{ stem }}.sum")]);
    assert_eq!(taken.work, Path::new("/x/data/work"));
    let age = deliver("  filters: [{ age: { recipients: [age1x], recipients_file: people } }]\n").unwrap();
    let spec = AgeSpec { recipients: vec!["age1x".to_owned()], recipients_file: Some("/x/people".into()) };
    assert_eq!(age.filters, [Filter::Tool(ToolSpec::Age(spec))]);
    assert_eq!(age.name.as_str(), "{{ stem }}{{ extension }}.age");
    let openpgp = "{ openpgp: { recipients: [p.asc], sign: { key: k.asc, passphrase: x } } }";
    let openpgp = deliver(&format!("  filters: [{{ gzip: {{}} }}, {openpgp}]\n")).unwrap();
    let sign = OpenPgpSign { key: "/x/k.asc".into(), passphrase: Some(Secret::new("x")) };
    let spec = OpenPgpSpec { recipients: vec!["/x/p.asc".into()], sign: Some(sign), is_armored: false };
    assert_eq!(openpgp.filters[1], Filter::Tool(ToolSpec::OpenPgp(spec)));
    assert_eq!(openpgp.name.as_str(), "{{ stem }}{{ extension }}.gz.pgp");
    let json = "  filters: [{ check: { json: { schema: order.json, each: line, rows: \">0\" } } }]\n";
    let check =
        JsonCheck { schema: "/x/order.json".into(), each: Each::Line, rows: RowCount::parse(">0"), max_size: 1 << 20 };
    assert_eq!(deliver(json).unwrap().filters, [Filter::Tool(ToolSpec::Json(check))]);
    for (steps, name) in [
        ("filters: [{ gzip: {} }]", "{{ stem }}{{ extension }}.gz"),
        ("filters: [{ gzip: {} }, { gunzip: {} }]", "{{ stem }}{{ extension }}"),
        ("filters: [{ gzip: {} }]\n  name: \"{{ id }}\"", "{{ id }}"),
    ] {
        assert_eq!(deliver(&format!("  {steps}\n")).unwrap().name.as_str(), name, "{steps}");
    }
    for (wrong, why) in [
        ("filters: [{ gzip: {}, zstd: {} }]", "several in one place"),
        ("filters: [{}]", "empty"),
        ("filters: [{ gzpi: {} }]", "gzpi"),
        ("filters: [{ gzip: { level: 10 } }]", "level"),
        ("filters: [{ check: {} }]", "says nothing"),
        ("filters: [{ check: }]", "says nothing"),
        ("filters: [{ check: { csv: { rows: many } } }]", "`rows`"),
        ("filters: [{ check: { csv: { delimiter: xy } } }]", "`delimiter`"),
        ("filters: [{ openpgp: {} }]", "recipients"),
        ("filters: [{ openpgp: { recipients: [] } }]", "no recipients"),
        ("filters: [{ openpgp: { recipients: [p.asc], sign: {} } }]", "key"),
        ("filters: [{ openpgp: { recipients: [p.asc], armour: true } }]", "armour"),
        ("filters: [{ age: {} }]", "no recipients"),
        ("filters: [{ age: { recipients: [bob] } }]", "no public key of age"),
        ("filters: [{ check: { csv: {}, json: { schema: s } } }]", "both given"),
        ("filters: [{ check: { json: {} } }]", "schema"),
        ("filters: [{ check: { json: { schema: s, rows: \">0\" } } }]", "`rows` counts lines"),
        ("filters: [{ check: { json: { schema: s, each: row } } }]", "each"),
        ("filters: [{ check: { json: { schema: s, max_size: 1GiB } } }]", "max_size"),
        ("filters: gzip", "a list"),
        ("companions: [{ done: \"{{ nope }}\" }]", "nope"),
        ("companions: [{ done: \"x/{{ name }}\" }]", "beside its file"),
    ] {
        let faults = deliver(&format!("  {wrong}\n")).unwrap_err();
        assert!(faults.iter().any(|fault| fault.contains(why)), "{wrong}: {faults:?}");
    }
}

#[test]
fn an_address_where_a_folder_belongs_is_refused_without_its_login() {
    let address = "sftp://ann:s3cret@partner.example/in";
    for (field, text) in [
        (
            "collect.directory",
            format!("transfer: t\ncollect: {{ directory: '{address}' }}\ndeliver: {{ to: {{ directory: out }} }}\n"),
        ),
        ("collect.archive", format!("transfer: t\ncollect: {{ directory: in, archive: '{address}' }}\n")),
        ("deliver.to", format!("transfer: t\ndeliver: {{ to: {{ directory: '{address}' }} }}\n")),
        ("broker.local", format!("transfer: t\ncollect: {{ directory: in }}\nbroker: {{ local: '{address}' }}\n")),
        ("roots", format!("scheduler: s\nroots: ['{address}']\n")),
    ] {
        let error = parse(&text, Path::new("/x/t.yaml"), &vars(&[]), &Registry::default()).unwrap_err();
        let told: Vec<&str> = error.problems.iter().map(|problem| problem.message.as_str()).collect();
        assert!(told.contains(&"this is an address, not a path on this host"), "{field}: {told:?}");
        assert!(!error.to_string().contains("s3cret") && !format!("{error:?}").contains("s3cret"), "{field}");
    }
}
