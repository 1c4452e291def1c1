//! `s3://BUCKET[/PREFIX]`, and where its store is.

use crate::adapters::http::Place;
use crate::core::model::peer::{MASK, is_loopback};
use crate::core::model::s3::S3Spec;
use crate::core::model::secret::Secret;
use std::fmt::Write as _;

const FORM: &str = "this is no `s3://BUCKET/PREFIX`";

/// Longest key, in bytes.
const KEY_MAX: usize = 1024;

/// A bucket and what its keys begin with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Address {
    pub(super) bucket: String,
    /// Empty, or with a `/` at its end.
    pub(super) prefix: String,
}

impl Address {
    /// # Errors
    /// What is wrong with it, without any part of it.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or(FORM)?;
        if !scheme.eq_ignore_ascii_case("s3") {
            return Err(FORM);
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if !(3..=255).contains(&bucket.len()) || !bucket.chars().all(fits) || bucket.starts_with('.') {
            return Err("behind `s3://` stands no name of a bucket; keys stand in the environment or in AWS's files");
        }
        let names: Vec<&str> = prefix.split('/').filter(|name| !name.is_empty()).collect();
        let odd = |name: &&str| matches!(*name, "." | "..") || name.chars().any(char::is_control) || name.contains('?');
        if names.iter().any(odd) {
            return Err("the prefix has neither `.`, `..`, `?` nor control characters");
        }
        let prefix = names.iter().fold(String::new(), |prefix, name| prefix + name + "/");
        Ok(Self { bucket: bucket.to_owned(), prefix })
    }

    /// The key of a path below the target. `None` when the store takes none as long.
    pub(super) fn key(&self, path: &str) -> Option<String> {
        let key = format!("{}{path}", self.prefix);
        (key.len() <= KEY_MAX).then_some(key)
    }

    pub(super) fn shown(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.prefix).trim_end_matches('/').to_owned()
    }
}

/// AWS's own service in a region.
pub(super) fn of_aws(service: &str, region: &str) -> Place {
    let end = if region.starts_with("cn-") { ".cn" } else { "" };
    Place { is_tls: true, host: format!("{service}.{region}.amazonaws.com{end}"), port: 443 }
}

/// Where a bucket is: the server, and what stands in front of each key's path. Without an endpoint, at AWS.
pub(super) fn home(
    address: &Address,
    endpoint: Option<Place>,
    region: &str,
    path_style: Option<bool>,
) -> (Place, String) {
    let is_given = endpoint.is_some();
    let place = endpoint.unwrap_or_else(|| of_aws("s3", region));
    // A certificate for `*.s3…` is none for a name with more dots; an address has none in front of it.
    let has_dots = address.bucket.contains(['.', '_']) || place.host.starts_with('[');
    if path_style.unwrap_or(is_given || has_dots) {
        return (place, format!("/{}", address.bucket));
    }
    let host = format!("{}.{}", address.bucket, place.host);
    (Place { host, ..place }, String::new())
}

/// A text as it stands in a path or a query: all but letters, digits and `-._~` percent-encoded; in a path, `/` stays.
pub(super) fn encoded(text: &str, is_path: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            b'/' if is_path => encoded.push('/'),
            _ => {
                let _ = write!(encoded, "%{byte:02X}");
            }
        }
    }
    encoded
}

/// A bucket's address or a store's endpoint as others may see it, and what is weak about a connection to it. `None` when it cannot be
/// read.
pub fn look(url: &Secret) -> Option<(String, Option<(String, &'static str)>)> {
    if let Ok(address) = Address::parse(url.reveal()) {
        return Some((address.shown(), None));
    }
    let place = Place::parse(url.reveal()).ok()?;
    let weak = (!place.is_tls && !is_loopback(&place.host)).then(|| {
        let what =
            format!("the connection to {} is not encrypted: file contents can be read on the way", place.shown());
        (what, "write `https://`, and `ca` for an authority of your own")
    });
    Some((place.shown(), weak))
}

/// Why the address or the endpoint cannot be read, without any part of it: its field, and why.
pub fn refused(spec: &S3Spec) -> Option<(&'static str, String)> {
    if let Err(why) = Address::parse(spec.url.reveal()) {
        return Some(("deliver.to.s3", why.to_owned()));
    }
    let endpoint = spec.endpoint.as_ref()?;
    let why = Place::parse(endpoint.reveal()).err()?;
    Some((
        "deliver.to.endpoint",
        if endpoint.reveal().contains('@') { format!("{why}: it has no login, {MASK}") } else { why.to_owned() },
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_and_its_prefix_are_read() {
        for (url, bucket, prefix, shown) in [
            ("s3://files", "files", "", "s3://files"),
            ("S3://my.files/", "my.files", "", "s3://my.files"),
            ("s3://files/in//bank a/", "files", "in/bank a/", "s3://files/in/bank a"),
        ] {
            let address = Address::parse(url).unwrap();
            assert_eq!(
                (address.bucket.as_str(), address.prefix.as_str(), address.shown().as_str()),
                (bucket, prefix, shown)
            );
        }
        for url in [
            "",
            "s3:files",
            "s3://",
            "s3://ab",
            "s3://key:xqzz@files/in",
            "s3://files/../x",
            "s3://files?x",
            "s3://files/a?b",
        ] {
            assert!(Address::parse(url).is_err_and(|why| !why.contains("xq")), "{url}");
        }
        let address = Address::parse("s3://files/in").unwrap();
        assert_eq!(address.key("a b").as_deref(), Some("in/a b"));
        assert_eq!(address.key(&"x".repeat(KEY_MAX)), None);
    }

    #[test]
    fn a_store_is_where_the_endpoint_or_the_region_says() {
        let home = |bucket: &str, endpoint: Option<&str>, region: &str, path_style| {
            let address = Address::parse(&format!("s3://{bucket}")).unwrap();
            let (place, path) = home(&address, endpoint.map(|it| Place::parse(it).unwrap()), region, path_style);
            format!("{}{path}", place.shown())
        };
        for (bucket, endpoint, region, style, wanted) in [
            ("files", None, "eu-west-1", None, "https://files.s3.eu-west-1.amazonaws.com"),
            ("files", None, "cn-north-1", None, "https://files.s3.cn-north-1.amazonaws.com.cn"),
            ("my.files", None, "eu-west-1", None, "https://s3.eu-west-1.amazonaws.com/my.files"),
            ("files", None, "eu-west-1", Some(true), "https://s3.eu-west-1.amazonaws.com/files"),
            ("files", Some("https://minio.bank:9000/"), "x", None, "https://minio.bank:9000/files"),
            ("files", Some("https://r2.example"), "x", Some(false), "https://files.r2.example"),
            ("files", Some("http://[::1]:9"), "x", None, "http://[::1]:9/files"),
        ] {
            assert_eq!(home(bucket, endpoint, region, style), wanted, "{bucket} {endpoint:?}");
        }
    }

    #[test]
    fn an_endpoint_that_is_not_encrypted_is_told_of() {
        for (url, weak) in [
            ("https://minio.bank:9000", false),
            ("http://127.0.0.1:9000", false),
            ("http://localhost", false),
            ("http://minio.bank:9000", true),
            ("s3://files/in", false),
        ] {
            assert_eq!(look(&Secret::new(url)).unwrap().1.is_some(), weak, "{url}");
        }
        for url in ["minio:9000", "ftp://x", "https://u:p@h", "https://h/path", "https://h?x", "https://"] {
            assert!(look(&Secret::new(url)).is_none(), "{url}");
        }
    }

    #[test]
    fn all_but_unreserved_signs_are_encoded() {
        assert_eq!(encoded("a b/ä+~", true), "a%20b/%C3%A4%2B~");
        assert_eq!(encoded("a/b=c", false), "a%2Fb%3Dc");
    }
}
