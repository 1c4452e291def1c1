//! Worker files with a password in every form of an address that people write, right and wrong. Shared by the property test of
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

/// A text in YAML's double quotes. A reference's marks are written as what they are.
fn quoted(text: &str) -> String {
    serde_json::to_string(&text.replace("${", "$${")).unwrap()
}

/// Worker files with the password in them: fit for use, with a mistake beside it, and without the quotes that it needs.
pub(super) fn files(password: &str) -> Vec<String> {
    let with = |url: &str, state: &str, property: &str, value: &str| {
        let file = FILE.replacen("URL", url, 1).replacen("STATE", state, 1);
        file.replacen("PROPERTY", property, 1).replacen("VALUE", value, 1)
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
    files
}
