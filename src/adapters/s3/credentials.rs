//! Keys, from where AWS's tools take them, in their order: the environment, a token of a web identity, AWS's files, a program that they
//! name, the container, the instance. A profile that the file names is the only place that is looked at.

use super::address::{encoded, of_aws};
use super::fault::{Fault, Said};
use super::keys::Keys;
use super::process;
use super::profile::{Profile, Profiles};
use super::xml;
use crate::adapters::http::{Http, Place, QUIET, Request};
use crate::core::model::peer::is_loopback;
use crate::core::model::s3::S3Spec;
use crate::core::model::secret::Secret;
use crate::files;
use hyper::body::Bytes;
use serde::Deserialize;
use std::path::Path;
use std::time::Duration;

/// Largest token that is read, in bytes.
const TOKEN_MAX: u64 = 64 << 10;

/// The address of a container's keys.
const CONTAINER: &str = "http://169.254.170.2";

/// The address of an instance's own data.
const INSTANCE: &str = "http://169.254.169.254";

/// Where its keys are.
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";

/// An instance answers at once, or there is none.
const INSTANCE_WITHIN: Duration = Duration::from_secs(3);

/// Hosts that are asked for keys without encryption beside this one: AWS's agents, which are no further than the host's own link.
const AGENTS: [&str; 5] = ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]", "169.254.169.254", "[fd00:ec2::254]"];

/// Settings of profiles whose keys only AWS's own tools get.
const OTHERS: [(&str, &str); 4] = [
    ("sso_session", "is one of single sign-on"),
    ("sso_start_url", "is one of single sign-on"),
    ("source_profile", "takes a role with another profile's keys"),
    ("credential_source", "takes a role with the host's keys"),
];

/// Who asks for keys.
pub(super) struct Asker<'a> {
    pub(super) spec: &'a S3Spec,
    pub(super) profiles: &'a Profiles,
    pub(super) http: &'a Http,
    /// Without a say of the file.
    pub(super) region: &'a str,
}

/// Where a variable leads. Tokens and keys go to no other host without encryption.
fn near(variable: &str, url: &str) -> Result<Place, Fault> {
    let place = Place::parse(url).map_err(|why| unusable(format!("{variable}: {why}")))?;
    if place.is_tls || is_loopback(&place.host) || AGENTS.contains(&place.host.as_str()) {
        return Ok(place);
    }
    Err(unusable(format!("{variable} leads to another host without encryption")))
}

fn unusable(reason: impl Into<String>) -> Fault {
    Fault::Unusable(reason.into())
}

impl Asker<'_> {
    /// The keys.
    pub(super) async fn keys(&self) -> Result<Keys, Fault> {
        let variable = |name: &str| self.spec.variable(name);
        if self.spec.profile.is_none() {
            match (variable("AWS_ACCESS_KEY_ID"), variable("AWS_SECRET_ACCESS_KEY")) {
                (Some(access), Some(secret)) => {
                    let token = variable("AWS_SESSION_TOKEN").map(Secret::new);
                    return Ok(Keys { access: access.to_owned(), secret: Secret::new(secret), token, until: None });
                }
                (None, None) => {}
                _ => return Err(unusable("of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is set")),
            }
            if let (Some(file), Some(role)) = (variable("AWS_WEB_IDENTITY_TOKEN_FILE"), variable("AWS_ROLE_ARN")) {
                return self.of_identity(Path::new(file), role, variable("AWS_ROLE_SESSION_NAME")).await;
            }
        }
        if let Some(profile) = self.profiles.chosen() {
            if let Some(keys) = self.of_profile(profile).await? {
                return Ok(keys);
            }
        } else if let Some(name) = self.profiles.wanted() {
            return Err(unusable(format!("AWS's files have no profile `{name}`")));
        }
        if let Some(path) = variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
            return self.of_container(&format!("{CONTAINER}{path}")).await;
        }
        if let Some(url) = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
            return self.of_container(url).await;
        }
        if variable("AWS_EC2_METADATA_DISABLED").is_some_and(|it| it.eq_ignore_ascii_case("true")) {
            return Err(unusable(
                "no keys were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write `profile`",
            ));
        }
        self.of_instance().await
    }

    async fn of_profile(&self, profile: &Profile) -> Result<Option<Keys>, Fault> {
        let name = &profile.name;
        match (profile.get("aws_access_key_id"), profile.get("aws_secret_access_key")) {
            (Some(access), Some(secret)) => {
                let token = profile.get("aws_session_token").map(Secret::new);
                return Ok(Some(Keys { access: access.to_owned(), secret: Secret::new(secret), token, until: None }));
            }
            (None, None) => {}
            _ => return Err(unusable(format!("the profile `{name}` has only one of both keys"))),
        }
        if let (Some(file), Some(role)) = (profile.get("web_identity_token_file"), profile.get("role_arn")) {
            return self.of_identity(Path::new(file), role, profile.get("role_session_name")).await.map(Some);
        }
        if let Some(command) = profile.get("credential_process") {
            return process::keys(name, command, process::WITHIN).await.map(Some);
        }
        if let Some((other, kind)) = OTHERS.into_iter().find(|(other, _)| profile.get(other).is_some()) {
            return Err(unusable(format!(
                "the profile `{name}` {kind} (`{other}`), which is not read; let AWS's own tool do it: name a profile with \
                 `credential_process = aws configure export-credentials --profile {name}`"
            )));
        }
        if self.profiles.wanted().is_some() {
            return Err(unusable(format!("the profile `{name}` has no keys")));
        }
        Ok(None)
    }

    /// Keys for a token that the platform keeps in a file, and renews there.
    async fn of_identity(&self, file: &Path, role: &str, session: Option<&str>) -> Result<Keys, Fault> {
        let token = files::read(file, TOKEN_MAX)
            .map_err(|error| unusable(format!("the token of AWS_WEB_IDENTITY_TOKEN_FILE cannot be read: {error}")))?;
        let token = Secret::new(String::from_utf8_lossy(&token).trim());
        let place = match self.spec.variable("AWS_ENDPOINT_URL_STS") {
            Some(url) => near("AWS_ENDPOINT_URL_STS", url)?,
            None => of_aws("sts", self.region),
        };
        let body = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", role),
            ("RoleSessionName", session.unwrap_or("filegen")),
            ("WebIdentityToken", token.reveal()),
        ];
        let body: Vec<String> = body.iter().map(|(name, value)| format!("{name}={}", encoded(value, false))).collect();
        let headers = vec![
            ("host".to_owned(), place.header()),
            ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
        ];
        let body = Bytes::from(body.join("&"));
        let request = Request { method: "POST", place, target: "/".to_owned(), headers, body, quiet: QUIET };
        let answer = self.asked(request).await?;
        let root = xml::read(&answer).unwrap_or_default();
        let text = |name: &str| root.text_of(name).map(str::to_owned);
        let found = Found {
            access_key_id: text("AccessKeyId"),
            secret_access_key: text("SecretAccessKey"),
            token: text("SessionToken"),
            expiration: text("Expiration"),
        };
        found.keys("the token service")
    }

    async fn of_container(&self, url: &str) -> Result<Keys, Fault> {
        let odd = || unusable("AWS_CONTAINER_CREDENTIALS_FULL_URI is no address");
        let (scheme, rest) = url.split_once("://").ok_or_else(odd)?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let place = near("AWS_CONTAINER_CREDENTIALS_FULL_URI", &format!("{scheme}://{host}"))?;
        let mut headers = vec![("host".to_owned(), place.header())];
        let token = match self.spec.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
            Some(file) => {
                let token = files::read(Path::new(file), TOKEN_MAX).map_err(|error| {
                    unusable(format!("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE cannot be read: {error}"))
                })?;
                Some(String::from_utf8_lossy(&token).trim().to_owned())
            }
            None => self.spec.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(str::to_owned),
        };
        headers.extend(token.map(|token| ("authorization".to_owned(), token)));
        let target = format!("/{path}");
        let request = Request { method: "GET", place, target, headers, body: Bytes::new(), quiet: QUIET };
        read(&self.asked(request).await?)?.keys("the container")
    }

    /// By the second version of the instance's protocol alone: the first gives its keys to whoever can make a process ask.
    async fn of_instance(&self) -> Result<Keys, Fault> {
        let url = self.spec.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or(INSTANCE);
        let place = near("AWS_EC2_METADATA_SERVICE_ENDPOINT", url)?;
        let ask = |method, target: &str, header: (&str, &str)| Request {
            method,
            place: place.clone(),
            target: target.to_owned(),
            headers: vec![("host".to_owned(), place.header()), (header.0.to_owned(), header.1.to_owned())],
            body: Bytes::new(),
            quiet: INSTANCE_WITHIN,
        };
        let first = ask("PUT", "/latest/api/token", ("x-aws-ec2-metadata-token-ttl-seconds", "300"));
        let token = tokio::time::timeout(INSTANCE_WITHIN, self.asked(first)).await;
        let Ok(Ok(token)) = token else {
            let places = "the environment, AWS's files, a container's or an instance's own data";
            return Err(unusable(format!(
                "no keys were found in {places}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write `profile`"
            )));
        };
        let token = String::from_utf8_lossy(&token).into_owned();
        let header = ("x-aws-ec2-metadata-token", token.as_str());
        let role = self.asked(ask("GET", ROLES, header)).await?;
        let role = String::from_utf8_lossy(&role);
        let role = role.lines().next().unwrap_or_default().trim();
        let keys = self.asked(ask("GET", &format!("{ROLES}{}", encoded(role, false)), header)).await?;
        read(&keys)?.keys("the instance")
    }

    async fn asked(&self, request: Request) -> Result<Vec<u8>, Fault> {
        let shown = request.place.shown();
        let answer = self.http.send(request).await?;
        let status = answer.status;
        let body = answer.whole().await?;
        if status == 200 {
            return Ok(body);
        }
        let said = Said::of(status, None, &body);
        let reason = format!("{shown} gives no keys: it answers {status} {}", said.code);
        Err(if status >= 500 || status == 429 { Fault::Away(reason) } else { unusable(reason) })
    }
}

/// Keys as AWS's services write them.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Found {
    access_key_id: Option<String>,
    secret_access_key: Option<String>,
    token: Option<String>,
    expiration: Option<String>,
}

fn read(answer: &[u8]) -> Result<Found, Fault> {
    // The answer has keys: no error repeats any of it.
    serde_json::from_slice(answer).map_err(|_| unusable("what should be keys cannot be read"))
}

impl Found {
    fn keys(self, whose: &str) -> Result<Keys, Fault> {
        match (self.access_key_id, self.secret_access_key) {
            (Some(access), Some(secret)) => {
                let until = self.expiration.and_then(|until| until.parse().ok());
                Ok(Keys { access, secret: Secret::new(secret), token: self.token.map(Secret::new), until })
            }
            _ => Err(unusable(format!("{whose} gives no keys"))),
        }
    }
}

#[cfg(test)]
mod tests;
