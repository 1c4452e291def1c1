//! Files of every kind with a password in every form of an address that people write, right and wrong. Shared by the property test of
//! what is told, and by the fuzz target `address`.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// A worker file around an address of a source and of a state store, and a property of its topic's client.
const FILE: &str = "worker: LoanWorker
source:
  url: URL
  view: v_Loans
  key: [LoanId]
output: { root: out }
state:
  url: STATE
completion:
  kafka:
    brokers: kafka.bank:9093
    topic: file-events
    properties: { PROPERTY: VALUE }
files:
  - id: Loan0
    name: \"loan0_{date}.txt\"
    translator: { delimited: { delimiter: \"|\", columns: [LoanId] } }
";

/// A transfer over a broker to a target.
const TRANSFER: &str = "transfer: sales
collect: { directory: in }
broker: BROKER
deliver: { to: TO }
";

const SPOOL: &str = "{ local: spool }";

const FOLDER: &str = "{ directory: out }";

/// An ingest with a sink, dead letters and a door.
const INGEST: &str = "ingest: orders
source: { kafka: { brokers: kafka.bank:9093, topic: t, group: g, properties: { sasl.password: KAFKA } } }
sink: { url: SINK }
dead_letters: LETTERS
envelope: { id: /id, type: /type, time: /time }
events:
  U:
    key: /user
    table: users
    identity: [user]
    version: at
    columns:
      user: { from: /user, type: text(64) }
      event_id: { from: /id, type: text(64) }
      at: { from: /time, type: timestamp }
produce: { port: 8080, token: TOKEN }
";

/// A scheduler with a state store and a door.
const SCHEDULER: &str = "scheduler: intake
state: { url: STATE }
roots: [in]
api: { port: 5001, token: TOKEN }
";

const SOURCE: &str = "sqlite:loans.db";
const STATE: &str = "sqlite:state.db";

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

/// Addresses of a source with a password, as people write them, right and wrong.
fn sources(password: &str) -> Vec<String> {
    let (percent, doubled) = (encoded(password), password.replace('"', "\"\""));
    let escaped = password.replace('\\', "\\\\").replace('\'', "\\'");
    vec![
        format!("postgres://ann:{percent}@db.bank:5432/loans?sslmode=verify-full"),
        format!("postgres://ann:{password}@db.bank/loans"),
        format!("postgres:/ann:{password}@db.bank/loans"),
        format!("postgres://db.bank/loans?user=ann&pass%77ord={percent}"),
        format!("postgres://db.bank/loans?user=ann&password={password}"),
        format!("postgres://ann:{password}@db.bank:port/loans"),
        format!("host=db.bank user=ann password='{escaped}' dbname=loans"),
        format!("host=db.bank user=ann password={password} dbname=loans"),
        format!("sqlserver://ann:{percent}@db.bank:1433/loans?encrypt=true"),
        format!("sqlserver://ann:{password}@db.bank/loans"),
        format!("sqlserver://db.bank/loans?user=ann&password={percent}"),
        format!("Server=db.bank;Database=loans;User Id=ann;Password=\"{doubled}\""),
        format!("Server=db.bank;Database=loans;User Id=ann;Pass_word='{}'", password.replace('\'', "''")),
        format!("Server=db.bank;User Id=ann;PWD={{{}}};Encrypt=off", password.replace('}', "}}")),
        format!("Server=db.bank;User Id=ann;Password={password};Encrypt=true"),
        format!("mysql://ann:{password}@db.bank/loans"),
    ]
}

/// Addresses of a state store.
fn states(password: &str) -> Vec<String> {
    let percent = encoded(password);
    vec![
        format!("mongodb://ann:{percent}@mongo.bank:27017/filegen?tls=true"),
        format!("mongodb://ann:{password}@mongo.bank/filegen"),
        format!(
            "mongodb://key:{percent}@mongo.bank/?authMechanism=MONGODB-AWS&authSource=$external&authMechanismProperties=AWS_SESSION_TOKEN:{percent}"
        ),
        format!("mongodb://mongo.bank/?authMechanismProperties=AWS_SESSION_TOKEN:{password}"),
        format!("mongodb://mongo.bank/filegen?tlsCertificateKeyFilePassword={password}"),
    ]
}

const PROPERTIES: [&str; 7] = [
    "sasl.password",
    "ssl.key.password",
    "ssl.key.pem",
    "ssl.keystore.password",
    "sasl.oauthbearer.config",
    "sasl.oauthbearer.client.secret",
    "sasl.username",
];

/// Places in NATS, in whose address or login it stands.
fn brokers(password: &str) -> Vec<String> {
    let percent = encoded(password);
    let urls = [
        format!("nats://ann:{percent}@nats.bank"),
        format!("nats://ann:{password}@nats.bank"),
        format!("tls://{percent}@nats.bank"),
        format!("{password}@nats.bank:4222"),
        format!("ann:{password}@nats.bank"),
        format!("tls://ann:{password}@a.bank,tls://b.bank"),
        format!("nats:/ann:{password}@nats.bank"),
    ];
    let with = |url: &str| format!("{{ nats: {{ url: {} }} }}", quoted(url));
    let login = |field| format!("{{ nats: {{ url: tls://nats.bank, {field}: {} }} }}", quoted(password));
    urls.iter().map(|url| with(url)).chain(["password", "token", "nkey"].map(login)).collect()
}

/// Targets that are servers.
fn targets(password: &str) -> Vec<String> {
    let percent = encoded(password);
    let sftp = [
        format!("sftp://ann:{percent}@partner.bank/in"),
        format!("sftp://ann:{password}@partner.bank/in"),
        format!("sftp:/ann:{password}@partner.bank/in"),
    ];
    let endpoints = [
        format!("https://key:{percent}@s3.bank"),
        format!("http://key:{password}@s3.bank"),
        format!("https://s3.bank/?token={password}"),
    ];
    let fingerprint = "fingerprint: \"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"";
    let mut targets: Vec<String> =
        sftp.iter().map(|url| format!("{{ sftp: {}, agent: true, {fingerprint} }}", quoted(url))).collect();
    targets.extend(["password", "passphrase"].map(|field| {
        format!("{{ sftp: sftp://ann@partner.bank/in, key: k, {field}: {}, {fingerprint} }}", quoted(password))
    }));
    targets.extend(endpoints.iter().map(|url| format!("{{ s3: s3://files/in, endpoint: {} }}", quoted(url))));
    targets.push(format!("{{ s3: {} }}", quoted(&format!("s3://key:{password}@files/in"))));
    targets
}

/// Queues of dead letters.
fn queues(password: &str) -> Vec<String> {
    let percent = encoded(password);
    let urls = [
        format!("redis://ann:{percent}@cache.bank/1"),
        format!("redis://:{password}@cache.bank"),
        format!("rediss://ann:{password}@cache.bank:6379/0"),
        format!("cache.bank:6380,password={password},ssl=true"),
        format!("cache.bank:6380,{password}"),
        format!("redis:/ann:{password}@cache.bank"),
    ];
    let apart = format!("{{ url: redis://cache.bank, password: {} }}", quoted(password));
    urls.iter().map(|url| format!("{{ url: {} }}", quoted(url))).chain([apart]).collect()
}

/// Files of the other kinds, fit for use, and with a mistake beside it.
fn of_other_kinds(password: &str) -> Vec<String> {
    let transfer = |broker: &str, to: &str| filled(TRANSFER, &[("BROKER", broker), ("TO", to)]);
    let ingest = |sink: &str, letters: &str, kafka: &str, token: &str| {
        filled(INGEST, &[("KAFKA", kafka), ("SINK", sink), ("LETTERS", letters), ("TOKEN", token)])
    };
    let (letters, token, own) = ("{ key: dlq }", "a-long-token", quoted(password));
    let mut files: Vec<String> = brokers(password).iter().map(|broker| transfer(broker, FOLDER)).collect();
    files.extend(targets(password).iter().map(|to| transfer(SPOOL, to)));
    files.extend(queues(password).iter().map(|queue| ingest("sqlite:o.db", queue, "x", token)));
    files.extend(sources(password).iter().map(|url| ingest(&quoted(url), letters, "x", token)));
    files.push(ingest("sqlite:o.db", letters, &own, token));
    files.push(ingest("sqlite:o.db", letters, "x", &own));
    let scheduler = |state: &str, token: &str| filled(SCHEDULER, &[("STATE", state), ("TOKEN", token)]);
    files.extend(states(password).iter().map(|url| scheduler(&quoted(url), token)));
    files.push(scheduler(STATE, &own));
    let mistaken: Vec<String> = files.iter().map(|file| format!("{file}oddly: 1\n")).collect();
    files.extend(mistaken);
    files
}

/// A file with its marks filled, which stand in it in this order: never one that a value has in it.
fn filled(file: &str, values: &[(&str, &str)]) -> String {
    let (mut done, mut rest) = (String::new(), file);
    for (mark, value) in values {
        let (before, behind) = rest.split_once(mark).unwrap();
        done.extend([before, *value]);
        rest = behind;
    }
    done + rest
}

/// A text in YAML's double quotes. A reference's marks are written as what they are.
fn quoted(text: &str) -> String {
    serde_json::to_string(&text.replace("${", "$${")).unwrap()
}

/// Files with the password in them: fit for use, with a mistake beside it, and those of workers without the quotes that it needs.
pub(super) fn files(password: &str) -> Vec<String> {
    let with = |url: &str, state: &str, property: &str, value: &str| {
        filled(FILE, &[("URL", url), ("STATE", state), ("PROPERTY", property), ("VALUE", value)])
    };
    let mut files = Vec::new();
    for url in sources(password) {
        for url in [quoted(&url), url] {
            files.push(with(&url, STATE, "client.id", "filegen"));
        }
    }
    for url in states(password) {
        for url in [quoted(&url), url] {
            files.push(with(SOURCE, &url, "client.id", "filegen"));
        }
    }
    for property in PROPERTIES {
        for value in [quoted(password), password.to_owned()] {
            files.push(with(SOURCE, STATE, property, &value));
        }
    }
    let mistaken: Vec<String> =
        files.iter().map(|file| file.replace("  view:", "  page_size: lots\n  view:")).collect();
    files.extend(mistaken);
    // The address stands where none belongs, and in a comment.
    for text in [sources(password), states(password)].concat() {
        files.push(FILE.replacen("v_Loans", &quoted(&text), 1));
        files.push(format!("# {text}\nwrker: x\n{FILE}"));
    }
    files.extend(of_other_kinds(password));
    files
}
