//! Tests of addresses: both forms, and what is said of bad ones.

use super::address::{Address, Timeouts};
use crate::core::model::secret::Secret;
use std::time::Duration;

fn parse(text: &str) -> Address {
    Address::parse(&Secret::new(text)).unwrap()
}

fn refusal(text: &str) -> String {
    match Address::parse(&Secret::new(text)) {
        Ok(_) => panic!("{text} was taken"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn both_forms_of_an_address_say_the_same() {
    let url = parse(
        "sqlserver://sa:p%40ss;w@db.example:1444/Loans%20DB?Packet%20Size=8000&applicationIntent=ReadOnly&idle_timeout=5",
    );
    let url2 = parse("mssql://sa:p@ss/word@db.example:1444/Loans%20DB");
    let ado = parse(
        "Server=tcp:db.example,1444;Database=Loans DB;User Id=sa;Password='p@ss;''w';Packet Size=8000;Idle Timeout=5;\
         ApplicationIntent=ReadOnly;Encrypt=True;Persist Security Info=False;",
    );
    for address in [&url, &url2, &ado] {
        assert_eq!(address.name, "sqlserver://db.example:1444/Loans DB");
        assert_eq!((address.host.as_str(), address.port), ("db.example", 1444));
    }
    assert_eq!(url.packet_size, 8000);
    assert_eq!(ado.packet_size, 8000);
    assert_eq!(url2.packet_size, 32767, "as large as TDS allows");
    let (connect, query) = (Some(Duration::from_secs(15)), Some(Duration::from_mins(10)));
    assert_eq!(ado.timeouts, Timeouts { connect, query, idle: Some(Duration::from_secs(5)) });
    assert_eq!(parse("Server=(local);UID=sa;Connect Timeout=0").timeouts.connect, None);
    assert_eq!(
        parse("Data Source=.\\SQL2022,1500;Initial Catalog=x;User=u;PWD={a}}b}").name,
        "sqlserver://localhost:1500/x"
    );
    let sql_client = "Server=TCP:db.example,1444;Database=x;User Id=u;Authentication=Sql Password;\
        Column Encryption Setting=Disabled;Current Language=German;Network Library=DBMSSOCN;Connection Lifetime=60;\
        IP Address Preference=IPv4First;Pool Blocking Period=Auto;MARS_Connection=False";
    assert_eq!(parse(sql_client).name, "sqlserver://db.example:1444/x");
    assert_eq!(parse("Server=fe80::1;User=u").name, "sqlserver://[fe80::1]:1433/");
    assert_eq!(parse("sqlserver://u@[::1]:1433/x").name, "sqlserver://[::1]:1433/x");
}

#[test]
fn all_keywords_of_sqlclient_are_known() {
    // Those of SqlConnectionStringBuilder 6, with their synonyms; each with a value that asks for nothing that is not here.
    let keywords = "Addr=h;Address=h;App=a;Application Intent=ReadOnly;ApplicationIntent=ReadWrite;Application Name=a;\
        Asynchronous Processing=False;Attestation Protocol=None;Authentication=SqlPassword;\
        Column Encryption Setting=Disabled;Command Timeout=30;Connect Retry Count=1;ConnectRetryCount=1;\
        Connect Retry Interval=10;ConnectRetryInterval=10;Connect Timeout=15;Connection Lifetime=0;Connection Timeout=15;\
        Context Connection=False;Current Language=German;Data Source=h;Database=d;Enclave Attestation Url=;\
        Encrypt=True;Enlist=False;Failover Partner=p;Failover Partner SPN=s;FailoverPartnerSPN=s;\
        Host Name In Certificate=h;HostNameInCertificate=h;IP Address Preference=IPv6First;IPAddressPreference=IPv4First;\
        Initial Catalog=d;Integrated Security=False;Language=German;Load Balance Timeout=0;Max Pool Size=100;\
        Min Pool Size=0;Multi Subnet Failover=False;MultiSubnetFailover=True;Multiple Active Result Sets=False;\
        MultipleActiveResultSets=True;Net=dbmssocn;Network=dbmssocn;Network Address=h;Network Library=dbmssocn;\
        Packet Size=8000;Password=p;Persist Security Info=False;PersistSecurityInfo=False;Pool Blocking Period=Auto;\
        PoolBlockingPeriod=NeverBlock;Pooling=True;Pwd=p;Replication=False;Server=h;Server SPN=s;ServerSPN=s;Timeout=15;\
        Transaction Binding=Implicit Unbind;Transparent Network IP Resolution=True;\
        TransparentNetworkIPResolution=True;Trust Server Certificate=False;TrustServerCertificate=False;\
        Trusted_Connection=False;Type System Version=Latest;UID=u;User=u;User ID=u;User Instance=False;WSID=w;\
        Workstation ID=w";
    assert_eq!(parse(keywords).name, "sqlserver://h:1433/d");
}

#[test]
fn keys_without_a_meaning_here_are_named() {
    let ignored = |text: &str| super::ignored(&Secret::new(format!("Server=h;Uid=u;{text}")));
    assert_eq!(ignored("Max Pool Size=5;Encrypt=false;Pooling=true"), ["maxpoolsize", "pooling"]);
    assert!(ignored("Authentication=SqlPassword;Net=dbmssocn").is_empty(), "these say what holds here anyway");
    assert!(super::ignored(&Secret::new("hunter2")).is_empty());
}

#[test]
fn an_address_that_cannot_be_used_says_which_key_and_no_secret() {
    for (text, says) in [
        ("Server=h;Uid=u;Pasword=hunter2", "behind `uid` is not known; did you mean `password`?"),
        ("Server=h;Uid=u;Password=x;hunter2=y", "behind `password` is not known; a value with `;`"),
        ("Server=h;Uid=u;Password=x;hunter2='y", "the value of a key that is not known is not closed"),
        ("sqlserver://u:x?a=b&hunter2=@h/db", "written %3F"),
        ("Server=h;Uid=u;Password='hunter2", "the value of `password` is not closed"),
        ("Server=h;Uid=u;Password='hunter2'x", "behind the quoted value of `password`"),
        ("Server=h;Uid=u;Encrypt=hunter2", "Encrypt is true"),
        ("Server=h;Uid=u;Packet Size=100", "between 512 and 32768"),
        ("Server=h;Integrated Security=SSPI", "Windows logins"),
        ("Server=h\\inst;Uid=u", "HOST,PORT"),
        ("Server=h;Uid=u;Server Certificate=h.cer", "TrustServerCertificateCA"),
        ("Server=h;Uid=u;AttachDbFilename=x.mdf", "give Database"),
        ("Server=h", "there is no User Id"),
        ("Server=db.example:1433;Uid=u", "write Server=tcp:db.example,1433"),
        ("Server=h;Uid=u;Authentication=ActiveDirectoryPassword", "Authentication is SqlPassword"),
        ("Server=h;Uid=u;Column Encryption Setting=Enabled", "Always Encrypted"),
        ("Server=h;Uid=u;Network Library=dbnmpntw", "only TCP"),
        ("DSN=loans;Uid=u", "an ODBC string"),
        ("Driver={ODBC Driver 18 for SQL Server};Server=h;UID=u;PWD={hunter2;x}", "this is an ODBC string"),
        ("Server=h;Uid=u;Driver=SQL Server", "leave Driver out"),
        ("Uid=u", "there is no server"),
        ("Server=h;Uid=u;TrustServerCertificate=true;TrustServerCertificateCA=ca.pem", "give one of them"),
        ("sqlserver://u:hunter2@h:x/db", "`port` is no fitting number"),
        ("sqlserver://u:x?hunter2@h/db", "written %3F"),
        ("hunter2", "there is no `=`"),
    ] {
        let refusal = refusal(text);
        assert!(refusal.contains(says), "{text}: {refusal}");
        assert!(!refusal.contains("hunter2"), "{refusal}");
    }
}

#[test]
fn every_key_that_is_known_has_a_meaning() {
    for key in super::pairs::KEYS {
        let said = Address::parse(&Secret::new(format!("Server=h;Uid=u;{key}=1")));
        let words = said.err().map(|error| error.to_string()).unwrap_or_default();
        assert!(!words.contains("not known"), "{key}: {words}");
    }
}

#[test]
fn what_is_weak_is_said_of_other_hosts() {
    for (settings, says) in [
        ("", None),
        ("Encrypt=strict", None),
        ("TrustServerCertificateCA=ca.pem", None),
        ("Encrypt=off", Some("is not encrypted")),
        ("Encrypt=optional", Some("the rows are not")),
        ("TrustServerCertificate=true", Some("is not verified")),
        ("Encrypt=strict;TrustServerCertificate=true", Some("is not verified")),
    ] {
        let weakness = |server: &str| parse(&format!("Server={server};Uid=u;{settings}")).weakness();
        assert_eq!(weakness("localhost"), None, "{settings}");
        let found = weakness("db.example");
        let fits = |(what, _): &(String, &str)| what.contains(says.unwrap_or_default());
        assert!(found.is_some() == says.is_some() && found.as_ref().is_none_or(fits), "{settings}: {found:?}");
    }
}

#[test]
fn an_address_is_shown_without_its_password() {
    for (text, shown) in [
        ("Server=h;Uid=u;Pwd=\"a\"\"b;c\"", "sqlserver://u:***@h:1433/"),
        ("sqlserver://u:p@h/db?Encrypt=off", "sqlserver://u:***@h:1433/db?encrypt=off"),
        ("Server=h;Uid=u;TrustServerCertificate=yes", "sqlserver://u@h:1433/?trustservercertificate=true"),
    ] {
        assert_eq!(parse(text).shown(), shown);
    }
}
