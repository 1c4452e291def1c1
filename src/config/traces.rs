//! Where the spans of traces go: OpenTelemetry's own variables, as far as they mean something here. Without an address none are made.

use super::vars::{VarFault, Vars, value};
use crate::core::model::secret::Secret;
use crate::core::model::trace::{Sampler, TraceSpec};
use percent_encoding::percent_decode_str;
use std::path::PathBuf;
use std::time::Duration;

/// Each variable for all of OpenTelemetry's data, and the one for traces alone, which counts first.
const ENDPOINT: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const HEADERS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
const CERTIFICATE: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"];
const TIMEOUT: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
const PROTOCOL: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
const COMPRESSION: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"];

/// Those of mutual TLS.
const CLIENT: [&str; 4] = [
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE",
    "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY",
    "OTEL_EXPORTER_OTLP_CLIENT_KEY",
];

/// Time for a request, and the longest.
const TIMES: [Duration; 2] = [Duration::from_secs(10), Duration::from_mins(1)];

/// Most pairs of a list, and the longest value of one in bytes.
const PAIRS: usize = 64;
const PAIR_MAX: usize = 8192;

/// What the environment says of traces.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Traces {
    /// Where they go. `None`: none are made.
    pub spec: Option<TraceSpec>,
    /// What is wrong with it, and what follows from that; each with its variable.
    pub problems: Vec<String>,
}

/// What variables say of traces. Nothing of it stops the work: what cannot be used is told.
pub fn traces(vars: &dyn Vars) -> Traces {
    let mut reader = Reader { vars, problems: Vec::new() };
    let spec = reader.spec();
    Traces { spec, problems: reader.problems }
}

struct Reader<'a> {
    vars: &'a dyn Vars,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn spec(&mut self) -> Option<TraceSpec> {
        if self.text("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return None;
        }
        let (variable, endpoint) = self.first(ENDPOINT)?;
        match self.text("OTEL_TRACES_EXPORTER").as_deref() {
            None | Some("otlp") => {}
            Some("none") => return None,
            Some(_) => {
                self.problem("OTEL_TRACES_EXPORTER", "only `otlp` and `none` are known here: no traces are made");
                return None;
            }
        }
        if let Some((variable, protocol)) = self.first(PROTOCOL)
            && protocol != "http/protobuf"
        {
            self.problem(variable, "only `http/protobuf` is spoken here: no traces are made");
            return None;
        }
        if let Some((variable, packing)) = self.first(COMPRESSION)
            && packing != "none"
        {
            self.problem(variable, "spans are sent unpacked: leave it out");
        }
        for variable in CLIENT {
            if self.text(variable).is_some() {
                self.problem(variable, "certificates of clients are not known here: put a token into the headers");
            }
        }
        // The one for traces is the whole address; to the other one the path is added.
        let endpoint =
            if variable == ENDPOINT[0] { endpoint } else { format!("{}/v1/traces", endpoint.trim_end_matches('/')) };
        Some(TraceSpec {
            endpoint: Secret::new(endpoint),
            variable,
            headers: self.headers(),
            ca: self.first(CERTIFICATE).map(|(_, path)| PathBuf::from(path)),
            timeout: self.timeout(),
            resource: self.resource(),
            sampler: self.sampler(),
        })
    }

    fn problem(&mut self, variable: &str, why: &str) {
        self.problems.push(format!("{variable}: {why}"));
    }

    /// A variable's text, or that of the file which `NAME_FILE` names where the variable is a secret. An empty one counts as not set.
    fn text(&mut self, name: &'static str) -> Option<String> {
        let text = match value(name, self.vars) {
            Ok(text) => text?.into_string(),
            Err(VarFault::File(variable, why)) => {
                self.problem(&variable, &why);
                return None;
            }
            Err(_) => return None,
        };
        let Ok(text) = text else {
            self.problem(name, "it is not UTF-8, and is passed over");
            return None;
        };
        let text = text.trim();
        (!text.is_empty()).then(|| text.to_owned())
    }

    fn first(&mut self, names: [&'static str; 2]) -> Option<(&'static str, String)> {
        names.into_iter().find_map(|name| self.text(name).map(|text| (name, text)))
    }

    fn timeout(&mut self) -> Duration {
        let Some((variable, text)) = self.first(TIMEOUT) else { return TIMES[0] };
        match text.parse::<u64>() {
            Ok(millis) if millis > 0 => Duration::from_millis(millis).min(TIMES[1]),
            _ => {
                self.problem(variable, "this is no number of milliseconds: 10000 is taken");
                TIMES[0]
            }
        }
    }

    fn headers(&mut self) -> Vec<(String, Secret)> {
        let Some((variable, text)) = self.first(HEADERS) else { return Vec::new() };
        let is_token = |c: u8| c.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&c);
        let fits = |(name, value): &(String, String)| {
            // What frames the request is ours.
            let is_ours = ["host", "content-length", "content-type", "transfer-encoding", "connection"];
            !name.is_empty()
                && name.bytes().all(is_token)
                && !is_ours.contains(&name.to_ascii_lowercase().as_str())
                && value.bytes().all(|c| c == b' ' || c.is_ascii_graphic())
        };
        let pairs = pairs(&text).filter(|pairs| pairs.iter().all(fits));
        let Some(pairs) = pairs else {
            self.problem(variable, "this is no list of headers, as `api-key=TOKEN,x=y`: none is sent");
            return Vec::new();
        };
        pairs.into_iter().map(|(name, value)| (name.to_ascii_lowercase(), Secret::new(value))).collect()
    }

    fn resource(&mut self) -> Vec<(String, String)> {
        let name = self.text("OTEL_SERVICE_NAME");
        let mut all = match self.text("OTEL_RESOURCE_ATTRIBUTES") {
            None => Vec::new(),
            Some(text) => pairs(&text).unwrap_or_else(|| {
                self.problem("OTEL_RESOURCE_ATTRIBUTES", "this is no list, as `a=b,c=d`: it is passed over");
                Vec::new()
            }),
        };
        let there = all.iter().position(|(key, _)| key == "service.name");
        match (there, name) {
            (Some(there), Some(name)) => all[there].1 = name,
            (None, name) => all.push(("service.name".to_owned(), name.unwrap_or_else(|| "filegen".to_owned()))),
            (Some(_), None) => {}
        }
        all
    }

    fn sampler(&mut self) -> Sampler {
        let Some(text) = self.text("OTEL_TRACES_SAMPLER") else { return Sampler::ALL };
        let (asks_parent, share) = match text.strip_prefix("parentbased_") {
            Some(rest) => (true, rest),
            None => (false, text.as_str()),
        };
        let share = match share {
            "always_on" => 1.0,
            "always_off" => 0.0,
            "traceidratio" => self.share(),
            _ => {
                self.problem("OTEL_TRACES_SAMPLER", "it is not known here: `parentbased_always_on` is taken");
                return Sampler::ALL;
            }
        };
        Sampler { asks_parent, share }
    }

    fn share(&mut self) -> f64 {
        let Some(text) = self.text("OTEL_TRACES_SAMPLER_ARG") else { return 1.0 };
        match text.parse::<f64>() {
            Ok(share) if (0.0..=1.0).contains(&share) => share,
            _ => {
                self.problem("OTEL_TRACES_SAMPLER_ARG", "this is no share from 0 to 1: 1 is taken");
                1.0
            }
        }
    }
}

/// `name=value,…`, the values percent-encoded. `None` where one is no pair.
fn pairs(text: &str) -> Option<Vec<(String, String)>> {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let mut all = Vec::new();
    for part in parts {
        let (name, value) = part.split_once('=')?;
        let value = percent_decode_str(value.trim()).decode_utf8().ok()?.into_owned();
        if name.trim().is_empty() || value.len() > PAIR_MAX || all.len() == PAIRS {
            return None;
        }
        all.push((name.trim().to_owned(), value));
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn read(given: &[(&str, &str)]) -> Traces {
        let vars: BTreeMap<String, String> =
            given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        traces(&vars)
    }

    fn with(more: &[(&str, &str)]) -> Traces {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://otel.bank:4318/");
        read(&[&[endpoint], more].concat())
    }

    #[test]
    fn none_are_made_unless_an_address_asks_for_them() {
        for given in [
            &[][..],
            &[("OTEL_SERVICE_NAME", "x"), ("OTEL_TRACES_SAMPLER", "always_on")],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://h"), ("OTEL_SDK_DISABLED", "TRUE")],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://h"), ("OTEL_TRACES_EXPORTER", "none")],
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "")],
        ] {
            assert_eq!(read(given), Traces::default(), "{given:?}");
        }
        let spec = with(&[]).spec.unwrap();
        assert_eq!(spec.endpoint.reveal(), "https://otel.bank:4318/v1/traces");
        assert_eq!(spec.resource, [("service.name".to_owned(), "filegen".to_owned())]);
        assert!(spec.sampler == Sampler::ALL && spec.timeout == TIMES[0] && spec.headers.is_empty());
        let spec = with(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://other/x")]).spec.unwrap();
        assert_eq!(spec.endpoint.reveal(), "https://other/x", "as it stands");
    }

    #[test]
    fn headers_are_secrets_and_may_stand_in_a_file() {
        let spec = with(&[("OTEL_EXPORTER_OTLP_HEADERS", "Authorization=Bearer%20t0ken, x-b=c")]).spec.unwrap();
        let told: Vec<(&str, &str)> =
            spec.headers.iter().map(|(name, value)| (name.as_str(), value.reveal())).collect();
        assert_eq!(told, [("authorization", "Bearer t0ken"), ("x-b", "c")]);
        assert!(!format!("{spec:?}").contains("t0ken"), "{spec:?}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("headers");
        std::fs::write(&path, "api-key=k3y\n").unwrap();
        let path = path.to_str().unwrap();
        let spec = with(&[("OTEL_EXPORTER_OTLP_TRACES_HEADERS_FILE", path)]).spec.unwrap();
        assert_eq!(spec.headers, [("api-key".to_owned(), Secret::new("k3y"))]);
        for bad in ["s3cret", "a b=s3cret", "x=s3cret%0d%0ay", "host=s3cret", "=s3cret"] {
            let read = with(&[("OTEL_EXPORTER_OTLP_HEADERS", bad)]);
            assert!(read.spec.unwrap().headers.is_empty(), "{bad}");
            assert!(
                read.problems[0].contains("OTEL_EXPORTER_OTLP_HEADERS") && !read.problems[0].contains("s3"),
                "{bad}"
            );
        }
    }

    #[test]
    fn what_cannot_be_used_is_told_and_stops_nothing() {
        for (variable, value, is_made) in [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", false),
            ("OTEL_TRACES_EXPORTER", "zipkin", false),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon", true),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", true),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "k.pem", true),
            ("OTEL_RESOURCE_ATTRIBUTES", "a", true),
            ("OTEL_TRACES_SAMPLER", "jaeger_remote", true),
            ("OTEL_EXPORTER_OTLP_HEADERS_FILE", "/nowhere", true),
        ] {
            let read = with(&[(variable, value)]);
            assert_eq!((read.spec.is_some(), read.problems.len()), (is_made, 1), "{variable}: {:?}", read.problems);
            assert!(read.problems[0].starts_with(variable), "{:?}", read.problems);
        }
    }

    #[test]
    fn samplers_names_and_attributes_are_opentelemetry_s() {
        for (name, argument, asks_parent, share) in [
            ("always_off", "", false, 0.0),
            ("parentbased_always_on", "", true, 1.0),
            ("parentbased_always_off", "", true, 0.0),
            ("traceidratio", "0.25", false, 0.25),
            ("parentbased_traceidratio", "0.5", true, 0.5),
            ("traceidratio", "", false, 1.0),
            ("traceidratio", "NaN", false, 1.0),
        ] {
            let read = with(&[("OTEL_TRACES_SAMPLER", name), ("OTEL_TRACES_SAMPLER_ARG", argument)]);
            assert_eq!(read.spec.unwrap().sampler, Sampler { asks_parent, share }, "{name} {argument}");
        }
        let named = |more: &[(&str, &str)]| with(more).spec.unwrap().resource;
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let attributes = ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,zone=eu%20west");
        assert_eq!(named(&[attributes]), [pair("service.name", "a"), pair("zone", "eu west")]);
        let both = named(&[attributes, ("OTEL_SERVICE_NAME", "b")]);
        assert_eq!(both, [pair("service.name", "b"), pair("zone", "eu west")]);
    }
}
