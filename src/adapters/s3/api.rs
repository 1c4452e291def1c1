//! The few calls of a store that are made.

use super::address::{Address, encoded, home};
pub(super) use super::condition::Condition;
use super::credentials::Asker;
use super::fault::{Fault, Said};
use super::keys::Keys;
use super::profile::Profiles;
use super::sign::{Signed, authorization, query, stamp};
use super::xml;
use crate::adapters::http::{Http, Named, Place, QUIET, Request, Response};
use crate::core::model::s3::S3Spec;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::body::Bytes;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// The region of stores that have none.
const NO_REGION: &str = "us-east-1";

/// A store may be quiet for so long while it puts pieces together.
const COMPLETED_WITHIN: Duration = Duration::from_mins(15);

/// Whoever gives keys is asked again no sooner than this, while those that it gave still serve.
const ASKED_AGAIN: Duration = Duration::from_secs(30);

/// The fields that say whom to trust.
pub(super) const NAMED: Named = Named { ca: "ca", endpoint: "endpoint" };

/// Bytes that are sent, with their digest.
#[derive(Clone)]
pub(super) struct Content {
    bytes: Bytes,
    digest: [u8; 32],
}

/// A piece that the store has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Piece {
    pub(super) tag: String,
    /// Its SHA-256 in base64. `None` where the store keeps none.
    pub(super) checksum: Option<String>,
    pub(super) size: u64,
}

/// A bucket, and the way to it.
pub(super) struct Api {
    spec: S3Spec,
    pub(super) address: Address,
    http: Http,
    /// With when its keys were asked for last.
    ready: tokio::sync::Mutex<Option<(Arc<Ready>, Instant)>>,
    /// The last answer that was no refusal of this process.
    answered: Mutex<Option<Instant>>,
}

struct Ready {
    place: Place,
    /// In front of each key.
    path: String,
    region: String,
    keys: Keys,
}

/// A request, before it is signed.
struct Call<'a> {
    method: &'static str,
    /// Below the target; the bucket itself when `None`.
    path: Option<&'a str>,
    query: &'a [(&'a str, &'a str)],
    headers: Vec<(&'static str, String)>,
    content: Content,
    quiet: Duration,
}

impl Content {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        let digest = Sha256::digest(&bytes).into();
        Self { bytes: Bytes::from(bytes), digest }
    }

    /// The digest as checksums are written.
    pub(super) fn checksum(&self) -> String {
        STANDARD.encode(self.digest)
    }

    pub(super) fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The bytes back.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.bytes.into()
    }
}

impl<'a> Call<'a> {
    fn new(method: &'static str, path: Option<&'a str>, query: &'a [(&'a str, &'a str)]) -> Self {
        let content = Content::new(Vec::new());
        Self { method, path, query, headers: Vec::new(), content, quiet: QUIET }
    }
}

impl Api {
    pub(super) fn new(spec: S3Spec, address: Address) -> Self {
        let ca = spec.ca.clone().or_else(|| spec.variable("AWS_CA_BUNDLE").map(PathBuf::from));
        Self {
            spec,
            address,
            http: Http::new(ca, NAMED),
            ready: tokio::sync::Mutex::default(),
            answered: Mutex::default(),
        }
    }

    /// Whether the store answered within a time, and did not refuse this process.
    pub(super) fn has_answered_within(&self, time: Duration) -> bool {
        let answered = self.answered.lock().unwrap_or_else(PoisonError::into_inner);
        answered.is_some_and(|at| at.elapsed() < time)
    }

    async fn ready(&self) -> Result<Arc<Ready>, Fault> {
        let mut ready = self.ready.lock().await;
        let now = Timestamp::now();
        if let Some((ready, asked)) = ready.as_ref()
            && (ready.keys.last(now) || (ready.keys.serve(now) && asked.elapsed() < ASKED_AGAIN))
        {
            return Ok(Arc::clone(ready));
        }
        match self.made_ready().await {
            Ok(fresh) => {
                let fresh = Arc::new(fresh);
                *ready = Some((Arc::clone(&fresh), Instant::now()));
                Ok(fresh)
            }
            // The old keys serve until they end.
            Err(fault) => match ready.as_mut().filter(|(ready, _)| ready.keys.serve(now)) {
                Some((old, asked)) => {
                    *asked = Instant::now();
                    Ok(Arc::clone(old))
                }
                None => Err(fault),
            },
        }
    }

    async fn made_ready(&self) -> Result<Ready, Fault> {
        let (spec, profiles) = (&self.spec, Profiles::read(&self.spec)?);
        let endpoint = spec.endpoint.as_ref().map(|url| Place::parse(url.reveal())).transpose();
        let endpoint = endpoint.map_err(|why| Fault::Unusable(format!("`endpoint`: {why}")))?;
        let region = spec.region.as_deref();
        let region = region.or_else(|| spec.variable("AWS_REGION")).or_else(|| spec.variable("AWS_DEFAULT_REGION"));
        let region = match region.or_else(|| profiles.get("region")) {
            Some(region) => region.to_owned(),
            None if endpoint.is_some() => NO_REGION.to_owned(),
            None => return Err(Fault::Unusable("no region is given: write `region`, or set AWS_REGION".to_owned())),
        };
        let asker = Asker { spec, profiles: &profiles, http: &self.http, region: &region };
        let keys = asker.keys().await?;
        let (place, path) = home(&self.address, endpoint, &region, spec.path_style);
        Ok(Ready { place, path, region, keys })
    }

    /// Makes a call. Keys that have ended are fetched anew once.
    async fn call(&self, call: &Call<'_>) -> Result<Response, Fault> {
        match self.call_once(call).await {
            Err(fault) if fault.is_old_token() => {
                *self.ready.lock().await = None;
                self.call_once(call).await
            }
            answer => answer,
        }
    }

    async fn call_once(&self, call: &Call<'_>) -> Result<Response, Fault> {
        let ready = self.ready().await?;
        let key = match call.path {
            Some(path) => format!("/{}", encoded(&self.address.key(path).ok_or_else(too_long)?, true)),
            None => String::new(),
        };
        let path = format!("{}{key}", ready.path);
        let path = if path.is_empty() { "/".to_owned() } else { path };
        let (query, payload, stamp) = (query(call.query), hex::encode(call.content.digest), stamp(Timestamp::now()));
        let mut headers = vec![
            ("host".to_owned(), ready.place.header()),
            ("x-amz-content-sha256".to_owned(), payload.clone()),
            ("x-amz-date".to_owned(), stamp.clone()),
        ];
        headers.extend(ready.keys.token.iter().map(|it| ("x-amz-security-token".to_owned(), it.reveal().to_owned())));
        headers.extend(call.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        let signed = Signed {
            method: call.method,
            path: &path,
            query: &query,
            headers: &headers,
            payload: &payload,
            region: &ready.region,
            service: "s3",
        };
        let authorization = authorization(&signed, &ready.keys, &stamp);
        headers.extend(authorization.map(|text| ("authorization".to_owned(), text)));
        let target = if query.is_empty() { path } else { format!("{path}?{query}") };
        let (method, place, body) = (call.method, ready.place.clone(), call.content.bytes.clone());
        let request = Request { method, place, target, headers, body, quiet: call.quiet };
        let answer = self.http.send(request).await?;
        let status = answer.status;
        if (200..300).contains(&status) || matches!(status, 404 | 412) {
            *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
        if (200..300).contains(&status) {
            return Ok(answer);
        }
        let region = answer.header("x-amz-bucket-region").map(str::to_owned);
        let said = Said::of(status, region, &answer.whole().await?);
        if matches!(status, 401 | 403) || said.code == "NoSuchBucket" {
            // Whatever is mended counts at the next call.
            *self.ready.lock().await = None;
            *self.answered.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        Err(Fault::Said(said))
    }

    /// Whether the bucket lets this process look.
    pub(super) async fn look(&self) -> Result<(), Fault> {
        let (prefix, most) = (self.address.prefix.as_str(), "1");
        let query = [("list-type", "2"), ("max-keys", most), ("prefix", prefix)];
        self.call(&Call::new("GET", None, &query)).await?.whole().await.map(drop).map_err(Fault::from)
    }

    /// Stores all of a file.
    pub(super) async fn put(&self, path: &str, content: &Content, condition: &Condition) -> Result<(), Fault> {
        self.put_as(path, content, condition, content.checksum()).await
    }

    /// The same with what may be another checksum.
    pub(super) async fn put_as(
        &self,
        path: &str,
        content: &Content,
        condition: &Condition,
        checksum: String,
    ) -> Result<(), Fault> {
        let mut call = Call::new("PUT", Some(path), &[]);
        call.headers.push(("content-type", "application/octet-stream".to_owned()));
        call.headers.push(("x-amz-checksum-sha256", checksum));
        call.headers.push(("x-amz-meta-sha256", hex::encode(content.digest)));
        call.headers.extend(condition.header());
        call.content = content.clone();
        self.call(&call).await?.whole().await.map(drop).map_err(Fault::from)
    }

    /// The tag of what has a name. `None` when nothing has it.
    pub(super) async fn tag(&self, path: &str) -> Result<Option<String>, Fault> {
        match self.call(&Call::new("HEAD", Some(path), &[])).await {
            Ok(answer) => {
                let tag = answer.header("etag").map(str::to_owned);
                answer.whole().await?;
                tag.map(Some).ok_or_else(|| Fault::Away("it tells no tag of a file".to_owned()))
            }
            Err(fault) if fault.is_missing() => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// What has a name, its body on the way. `None` when nothing has it.
    pub(super) async fn get(&self, path: &str) -> Result<Option<Response>, Fault> {
        match self.call(&Call::new("GET", Some(path), &[])).await {
            Ok(answer) => Ok(Some(answer)),
            Err(fault) if fault.is_missing() => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Takes a file away.
    pub(super) async fn remove(&self, path: &str) -> Result<(), Fault> {
        match self.call(&Call::new("DELETE", Some(path), &[])).await {
            Ok(answer) => answer.whole().await.map(drop).map_err(Fault::from),
            Err(fault) if fault.is_missing() => Ok(()),
            Err(fault) => Err(fault),
        }
    }

    /// Begins with a file that goes in pieces: the store's word for it. `sha256` is that of all of it.
    pub(super) async fn begin(&self, path: &str, sha256: &str) -> Result<String, Fault> {
        let mut call = Call::new("POST", Some(path), &[("uploads", "")]);
        call.headers.push(("content-type", "application/octet-stream".to_owned()));
        call.headers.push(("x-amz-checksum-algorithm", "SHA256".to_owned()));
        call.headers.push(("x-amz-meta-sha256", sha256.to_owned()));
        let answer = self.call(&call).await?.whole().await?;
        let id = xml::read(&answer).and_then(|root| root.text_of("UploadId").map(str::to_owned));
        id.filter(|id| !id.is_empty()).ok_or_else(|| Fault::Away("it began an upload, and does not name it".to_owned()))
    }

    /// Stores a piece. Its number begins at 1.
    pub(super) async fn piece(&self, path: &str, id: &str, number: u32, content: &Content) -> Result<Piece, Fault> {
        let number = number.to_string();
        let query = [("partNumber", number.as_str()), ("uploadId", id)];
        let mut call = Call::new("PUT", Some(path), &query);
        let checksum = content.checksum();
        call.headers.push(("x-amz-checksum-sha256", checksum.clone()));
        call.content = content.clone();
        let answer = self.call(&call).await?;
        let tag = answer.header("etag").map(str::to_owned);
        answer.whole().await?;
        let tag = tag.ok_or_else(|| Fault::Away("it tells no tag of a piece".to_owned()))?;
        Ok(Piece { tag, checksum: Some(checksum), size: content.size() })
    }

    /// The pieces that the store has. `None` when the upload has come to its end.
    pub(super) async fn pieces(&self, path: &str, id: &str) -> Result<Option<BTreeMap<u32, Piece>>, Fault> {
        let (mut found, mut after) = (BTreeMap::new(), 0_u32);
        loop {
            let marker = after.to_string();
            let query = [("part-number-marker", marker.as_str()), ("uploadId", id)];
            let query = if after == 0 { &query[1..] } else { &query };
            let answer = match self.call(&Call::new("GET", Some(path), query)).await {
                Err(fault) if fault.is_no_upload() => return Ok(None),
                answer => answer?.whole().await?,
            };
            let odd = || Fault::Away("its list of pieces cannot be read".to_owned());
            let root = xml::read(&answer).filter(|root| root.name == "ListPartsResult").ok_or_else(odd)?;
            for part in root.all("Part") {
                let number = part.text_of("PartNumber").and_then(|text| text.parse().ok()).ok_or_else(odd)?;
                let size = part.text_of("Size").and_then(|text| text.parse().ok()).ok_or_else(odd)?;
                let tag = part.text_of("ETag").ok_or_else(odd)?.to_owned();
                let checksum = part.text_of("ChecksumSHA256").filter(|text| !text.is_empty()).map(str::to_owned);
                found.insert(number, Piece { tag, checksum, size });
            }
            let last = found.keys().next_back().copied().unwrap_or(0);
            if root.text_of("IsTruncated") != Some("true") || last <= after {
                return Ok(Some(found));
            }
            after = last;
        }
    }

    /// Makes one file of all pieces.
    pub(super) async fn complete(
        &self,
        path: &str,
        id: &str,
        pieces: &BTreeMap<u32, Piece>,
        condition: &Condition,
    ) -> Result<(), Fault> {
        let mut body = "<CompleteMultipartUpload xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">".to_owned();
        for (number, Piece { tag, checksum, .. }) in pieces {
            let _ = write!(body, "<Part><PartNumber>{number}</PartNumber><ETag>{}</ETag>", xml::escaped(tag));
            if let Some(checksum) = checksum {
                let _ = write!(body, "<ChecksumSHA256>{}</ChecksumSHA256>", xml::escaped(checksum));
            }
            body.push_str("</Part>");
        }
        body.push_str("</CompleteMultipartUpload>");
        let query = [("uploadId", id)];
        let mut call = Call::new("POST", Some(path), &query);
        call.headers.push(("content-type", "application/xml".to_owned()));
        call.headers.extend(condition.header());
        (call.content, call.quiet) = (Content::new(body.into_bytes()), COMPLETED_WITHIN);
        let answer = self.call(&call).await?;
        let status = answer.status;
        // It may say yes while it is at work, and no in the end.
        let answer = answer.whole().await?;
        match xml::read(&answer).map(|root| root.name) {
            Some(name) if name == "CompleteMultipartUploadResult" => Ok(()),
            Some(name) if name == "Error" => Err(Fault::Said(Said::of(status, None, &answer))),
            _ => Err(Fault::Away("whether it completed an upload cannot be read".to_owned())),
        }
    }

    /// Gives an upload up. One that is not there is gone.
    pub(super) async fn give_up(&self, path: &str, id: &str) -> Result<(), Fault> {
        match self.call(&Call::new("DELETE", Some(path), &[("uploadId", id)])).await {
            Ok(answer) => answer.whole().await.map(drop).map_err(Fault::from),
            Err(fault) if fault.is_no_upload() => Ok(()),
            Err(fault) => Err(fault),
        }
    }
}

fn too_long() -> Fault {
    let (code, message) = ("KeyTooLongError".to_owned(), "a key has at most 1024 bytes".to_owned());
    Fault::Said(Said { status: 400, code, message, region: None })
}
