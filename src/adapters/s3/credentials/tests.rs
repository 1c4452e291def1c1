//! Keys, from servers that answer as AWS's do.

use super::*;
use crate::adapters::s3::api::NAMED;
use crate::adapters::s3::tests::spec;
use crate::core::kind::{FailureKind, HasKind};
use std::io::{Read, Write};
use std::net::TcpListener;

/// Answers requests in turn, each with what is given for it; and tells what they were.
fn answering(answers: Vec<(u16, String)>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let (mut head, mut piece) = (Vec::new(), [0; 4096]);
            let whole = |head: &[u8]| {
                let text = String::from_utf8_lossy(head).into_owned();
                let (top, rest) = text.split_once("\r\n\r\n")?;
                let length = top.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
                (rest.len() >= length.parse().unwrap()).then_some(text)
            };
            let request = loop {
                let count = stream.read(&mut piece).unwrap();
                assert!(count > 0, "it hung up");
                head.extend_from_slice(&piece[..count]);
                if let Some(text) = whole(&head) {
                    break text;
                }
            };
            let length = body.len();
            write!(stream, "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
                .unwrap();
            asked.push(request);
        }
        asked
    });
    (url, asked)
}

async fn keys(spec: &S3Spec) -> Result<Keys, Fault> {
    let (profiles, http) = (Profiles::read(spec)?, Http::new(None, NAMED));
    Asker { spec, profiles: &profiles, http: &http, region: "eu-west-1" }.keys().await
}

fn refused(found: Result<Keys, Fault>) -> String {
    let error = found.unwrap_err().told("s3://files", "");
    assert_eq!(error.kind(), FailureKind::Config, "{error}");
    error.to_string()
}

fn shown(keys: &Keys) -> [Option<&str>; 3] {
    [Some(&keys.access), Some(keys.secret.reveal()), keys.token.as_ref().map(Secret::reveal)]
}

const JSON: &str =
    r#"{"AccessKeyId":"A","SecretAccessKey":"b","Token":"c","Expiration":"2030-01-02T03:04:05Z","Code":"Success"}"#;

#[tokio::test]
async fn keys_of_the_environment_come_first_and_a_named_profile_before_them() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c");
    std::fs::write(
        &file,
        "[default]\naws_access_key_id=D\naws_secret_access_key=d\n[half]\naws_access_key_id=H\n[sso]\nsso_session=s\n",
    )
    .unwrap();
    let file = file.display().to_string();
    let pairs = [
        ("AWS_ACCESS_KEY_ID", "A"),
        ("AWS_SECRET_ACCESS_KEY", "b"),
        ("AWS_SESSION_TOKEN", "c"),
        ("AWS_SHARED_CREDENTIALS_FILE", &*file),
    ];
    let all = spec(&pairs);
    assert_eq!(shown(&keys(&all).await.unwrap()), [Some("A"), Some("b"), Some("c")]);
    let named = |name: &str| S3Spec { profile: Some(name.to_owned()), ..all.clone() };
    assert_eq!(shown(&keys(&named("default")).await.unwrap()), [Some("D"), Some("d"), None]);
    assert_eq!(shown(&keys(&spec(&pairs[3..])).await.unwrap()), [Some("D"), Some("d"), None]);
    for (spec, told) in [
        (spec(&pairs[1..]), "only one is set"),
        (named("half"), "only one of both keys"),
        (named("sso"), "single sign-on (`sso_session`), which is not read"),
        (named("sso"), "`credential_process = aws configure export-credentials --profile sso`"),
        (named("nobody"), "no profile `nobody`"),
    ] {
        let error = refused(keys(&spec).await);
        assert!(error.contains(told), "{error}");
    }
    assert!(!format!("{:?}", keys(&all).await).contains("\"b\""), "debug output hides it");
}

#[tokio::test]
async fn a_token_of_the_platform_becomes_keys() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "the token\n").unwrap();
    let answer = "<R xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleWithWebIdentityResult><Credentials><SessionToken>c\
                  </SessionToken><SecretAccessKey>b</SecretAccessKey><Expiration>2030-01-02T03:04:05Z</Expiration><AccessKeyId>A\
                  </AccessKeyId></Credentials></AssumeRoleWithWebIdentityResult></R>";
    let (url, asked) = answering(vec![
        (200, answer.to_owned()),
        (400, "<E><Error><Code>x</Code></Error></E>".to_owned()),
        (503, String::new()),
    ]);
    let file = file.display().to_string();
    let spec = spec(&[
        ("AWS_WEB_IDENTITY_TOKEN_FILE", &*file),
        ("AWS_ROLE_ARN", "arn:aws:iam::1:role/r"),
        ("AWS_ENDPOINT_URL_STS", &*url),
    ]);
    let found = keys(&spec).await.unwrap();
    assert_eq!(shown(&found), [Some("A"), Some("b"), Some("c")]);
    let at = |time: &str| found.last(time.parse().unwrap());
    assert!(at("2030-01-02T02:59:00Z") && !at("2030-01-02T03:00:00Z"), "they are renewed before they end");
    assert!(refused(keys(&spec).await).contains("answers 400"));
    assert!(matches!(keys(&spec).await, Err(Fault::Away(_))), "it is asked again");
    let asked = asked.join().unwrap();
    assert!(
        asked[0].contains("WebIdentityToken=the%20token") && asked[0].contains("RoleArn=arn%3Aaws%3Aiam"),
        "{}",
        asked[0]
    );
}

#[tokio::test]
async fn a_container_gives_its_keys_to_who_has_its_token() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "Bearer t\n").unwrap();
    let (url, asked) = answering(vec![(200, JSON.to_owned()), (200, "{\"xqzz\"".to_owned())]);
    let (url, file) = (format!("{url}/v1/keys?x=y"), file.display().to_string());
    let spec_of =
        |url| spec(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", url), ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &*file)]);
    assert_eq!(shown(&keys(&spec_of(&url)).await.unwrap()), [Some("A"), Some("b"), Some("c")]);
    assert!(!refused(keys(&spec_of(&url)).await).contains("xqzz"), "no answer is repeated");
    let asked = asked.join().unwrap();
    assert!(
        asked[0].starts_with("GET /v1/keys?x=y ") && asked[0].contains("authorization: Bearer t\r\n"),
        "{}",
        asked[0]
    );
    assert!(refused(keys(&spec_of("http://metadata.bank/keys")).await).contains("without encryption"));
    for pairs in [
        vec![
            ("AWS_WEB_IDENTITY_TOKEN_FILE", &*file),
            ("AWS_ROLE_ARN", "r"),
            ("AWS_ENDPOINT_URL_STS", "http://sts.bank"),
        ],
        vec![("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://metadata.bank")],
    ] {
        assert!(refused(keys(&spec(&pairs)).await).contains("leads to another host without encryption"), "{pairs:?}");
    }
}

#[tokio::test]
async fn an_instance_gives_its_keys_behind_a_token() {
    let (url, asked) = answering(vec![
        (200, "t0".to_owned()),
        (200, "role\n".to_owned()),
        (200, JSON.to_owned()),
        (404, String::new()),
    ]);
    let spec_of = |more: &[(&str, &str)]| spec(&[&[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &*url)], more].concat());
    assert_eq!(shown(&keys(&spec_of(&[])).await.unwrap()), [Some("A"), Some("b"), Some("c")]);
    assert!(refused(keys(&spec_of(&[])).await).contains("no keys were found"));
    let asked = asked.join().unwrap();
    assert!(
        asked[0].starts_with("PUT /latest/api/token ") && asked[2].contains("security-credentials/role "),
        "{}",
        asked[2]
    );
    assert!(asked[1..3].iter().all(|asked| asked.contains("x-aws-ec2-metadata-token: t0\r\n")), "{}", asked[1]);
    assert!(refused(keys(&spec_of(&[("AWS_EC2_METADATA_DISABLED", "true")])).await).contains("no keys were found"));
}
