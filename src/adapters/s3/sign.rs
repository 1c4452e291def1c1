//! Signatures of requests, as AWS's version 4 has them.

use super::address::encoded;
use super::keys::Keys;
use crate::core::model::secret::Secret;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

/// What is signed of a request.
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    /// Encoded.
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    /// All of them, names in lower case.
    pub(super) headers: &'a [(String, String)],
    /// The body's digest, in hexadecimal digits.
    pub(super) payload: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
}

/// Names and values as they are signed and sent: encoded and sorted.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    let mut pairs: Vec<String> =
        pairs.iter().map(|(name, value)| format!("{}={}", encoded(name, false), encoded(value, false))).collect();
    pairs.sort();
    pairs.join("&")
}

/// A time as requests have it: `20261130T120000Z`.
pub(super) fn stamp(now: Timestamp) -> String {
    now.to_zoned_datetime(TimeZone::UTC).strftime("%Y%m%dT%H%M%SZ").to_string()
}

/// The header `authorization`. `stamp` is what `x-amz-date` says.
pub(super) fn authorization(request: &Signed<'_>, keys: &Keys, stamp: &str) -> Option<String> {
    let mut headers: Vec<(&str, &str)> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.trim())).collect();
    headers.sort_unstable();
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: Vec<String> = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let lines = lines.concat();
    let Signed { method, path, query, payload, region, service, .. } = request;
    let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{payload}");
    let day = stamp.get(..8)?;
    let scope = format!("{day}/{region}/{service}/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{}", hex::encode(Sha256::digest(canonical)));
    let first = Secret::new(format!("AWS4{}", keys.secret.reveal()));
    let mut key = first.reveal().as_bytes().to_vec();
    for part in [day, region, service, "aws4_request", &text] {
        key = digest(&key, part)?;
    }
    let access = &keys.access;
    Some(format!("AWS4-HMAC-SHA256 Credential={access}/{scope}, SignedHeaders={names}, Signature={}", hex::encode(key)))
}

fn digest(key: &[u8], text: &str) -> Option<Vec<u8>> {
    // A key of any length is taken.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(text.as_bytes());
    Some(mac.finalize().into_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// The examples of AWS's documentation.
    #[test]
    fn signatures_are_those_of_the_documentation() {
        let keys = Keys {
            access: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: Secret::new("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
            token: None,
            until: None,
        };
        let welcome = hex::encode(Sha256::digest("Welcome to Amazon S3."));
        for (method, path, pairs, more, payload, signature) in [
            (
                "GET",
                "/test.txt",
                &[][..],
                &[("range", "bytes=0-9")][..],
                EMPTY,
                "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
            ),
            (
                "PUT",
                "/test%24file.text",
                &[],
                &[("date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
                &welcome,
                "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
            ),
            (
                "GET",
                "/",
                &[("lifecycle", "")],
                &[],
                EMPTY,
                "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
            ),
            (
                "GET",
                "/",
                &[("prefix", "J"), ("max-keys", "2")],
                &[],
                EMPTY,
                "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
            ),
        ] {
            let usual = [
                ("host", "examplebucket.s3.amazonaws.com"),
                ("x-amz-content-sha256", payload),
                ("x-amz-date", "20130524T000000Z"),
            ];
            let headers: Vec<_> =
                usual.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let query = query(pairs);
            let (region, service) = ("us-east-1", "s3");
            let request = Signed { method, path, query: &query, headers: &headers, payload, region, service };
            let made = authorization(&request, &keys, "20130524T000000Z").unwrap();
            assert!(made.ends_with(&format!("Signature={signature}")), "{path}: {made}");
        }
        assert_eq!(stamp("2026-11-30T08:09:10.5Z".parse().unwrap()), "20261130T080910Z");
    }
}
