//! Gives spans to a collector of OpenTelemetry: OTLP over HTTP, as protobuf. Whoever has a span never waits: a task sends them, some at
//! once; what has no place in its queue is dropped and counted.

mod address;
mod message;

pub use address::{refused, shown, weakness};

use crate::adapters::http::{Http, HttpFault, Named, Request};
use crate::core::model::shown;
use crate::core::model::trace::{Span, TraceSpec};
use crate::core::ports::observer::Observer;
use crate::core::ports::spans::{SpanEvent, SpanSink};
use address::Address;
use async_trait::async_trait;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Spans that wait to be sent: half a megabyte or two.
const QUEUE: usize = 4096;

/// Most spans of one request.
const BATCH: usize = 512;

/// From a span's end to the request: others join it.
const GATHER: Duration = Duration::from_millis(500);

/// The first wait after a collector that did not answer, and the longest.
const WAITS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(30)];

/// What names whom to trust.
const NAMED: Named = Named { ca: "OTEL_EXPORTER_OTLP_CERTIFICATE", endpoint: "OTEL_EXPORTER_OTLP_ENDPOINT" };

/// A collector, and the spans on their way to it.
pub struct Otlp {
    shared: Arc<Shared>,
    queue: Sender<Span>,
    task: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    spec: TraceSpec,
    address: Address,
    http: Http,
    observer: Arc<dyn Observer<SpanEvent>>,
    closing: CancellationToken,
    /// Spans that were taken, and whose end is not known yet.
    open: AtomicU64,
    /// Whether the last request got no answer.
    is_away: AtomicBool,
}

/// Why a request came to nothing.
enum Fault {
    /// The collector may take the same spans later.
    Away(String),
    /// It will never take them.
    Refused(String),
}

impl Otlp {
    /// For the collector that is named; its task begins at once.
    ///
    /// # Errors
    /// Why its address cannot be read.
    pub fn start(spec: TraceSpec, observer: Arc<dyn Observer<SpanEvent>>) -> Result<Self, String> {
        let address = Address::parse(spec.endpoint.reveal())?;
        let http = Http::new(spec.ca.clone(), NAMED);
        let (closing, open, is_away) = (CancellationToken::new(), AtomicU64::new(0), AtomicBool::new(false));
        let shared = Arc::new(Shared { spec, address, http, observer, closing, open, is_away });
        let (queue, taken) = channel(QUEUE);
        let task = Mutex::new(Some(tokio::spawn(Arc::clone(&shared).work(taken))));
        Ok(Self { shared, queue, task })
    }
}

impl Shared {
    fn told(&self, event: &SpanEvent) {
        self.observer.observe(event);
    }

    /// Sends what comes, until it is closed and empty, or the collector does not answer at the end.
    async fn work(self: Arc<Self>, mut taken: Receiver<Span>) {
        let mut batch = Vec::with_capacity(BATCH);
        while self.gather(&mut taken, &mut batch).await {
            self.deliver(&mut batch).await;
        }
        taken.close();
        loop {
            while batch.len() < BATCH
                && let Ok(span) = taken.try_recv()
            {
                batch.push(span);
            }
            if batch.is_empty() || !self.deliver_now(&mut batch).await {
                return;
            }
        }
    }

    /// Waits for spans, and for those that come right behind. `false` once it is to close.
    async fn gather(&self, taken: &mut Receiver<Span>, batch: &mut Vec<Span>) -> bool {
        let came = tokio::select! {
            biased;
            () = self.closing.cancelled() => return false,
            came = taken.recv_many(batch, BATCH) => came,
        };
        let more = async {
            while batch.len() < BATCH {
                let room = BATCH - batch.len();
                if taken.recv_many(batch, room).await == 0 {
                    return;
                }
            }
        };
        tokio::select! {
            biased;
            () = self.closing.cancelled() => false,
            // Full, or time is up.
            _ = timeout(GATHER, more) => came > 0,
        }
    }

    /// Sends a batch, for as long as it takes. What is left of it when it is to close stays.
    async fn deliver(&self, batch: &mut Vec<Span>) {
        let mut wait = WAITS[0];
        while !self.closing.is_cancelled() {
            if self.deliver_now(batch).await {
                return;
            }
            tokio::select! {
                () = self.closing.cancelled() => {}
                () = tokio::time::sleep(wait) => wait = (wait * 2).min(WAITS[1]),
            }
        }
    }

    /// Sends a batch once. Whether the collector answered.
    async fn deliver_now(&self, batch: &mut Vec<Span>) -> bool {
        let answer = self.send(batch).await;
        let is_away = matches!(answer, Err(Fault::Away(_)));
        let was_away = self.is_away.swap(is_away, Ordering::Relaxed);
        match answer {
            Err(Fault::Away(why)) => {
                if !was_away {
                    self.told(&SpanEvent::Away(why));
                }
            }
            answer => {
                if was_away {
                    self.told(&SpanEvent::Back);
                }
                self.settle(batch, answer);
            }
        }
        !is_away
    }

    /// A batch has come to its end.
    fn settle(&self, batch: &mut Vec<Span>, answer: Result<Option<(u64, String)>, Fault>) {
        let all = batch.len() as u64;
        batch.clear();
        self.open.fetch_sub(all, Ordering::Relaxed);
        let (refused, why) = match answer {
            Ok(None) => (0, String::new()),
            Ok(Some((count, why))) => (count.min(all), why),
            Err(Fault::Refused(why) | Fault::Away(why)) => (all, why),
        };
        if all > refused {
            self.told(&SpanEvent::Sent(all - refused));
        }
        if refused > 0 {
            self.told(&SpanEvent::Refused(refused, shown::name(&why)));
        }
    }

    /// One request. What of it the collector did not take after all.
    async fn send(&self, spans: &[Span]) -> Result<Option<(u64, String)>, Fault> {
        let (spec, place) = (&self.spec, self.address.place.clone());
        let mut headers =
            vec![("host".to_owned(), place.header()), ("content-type".to_owned(), "application/x-protobuf".to_owned())];
        headers.extend(spec.headers.iter().map(|(name, value)| (name.clone(), value.reveal().to_owned())));
        let body = message::request(&spec.resource, spans).into();
        let (method, target, quiet) = ("POST", self.address.path.clone(), spec.timeout);
        let asked = async {
            let answer = self.http.send(Request { method, place, target, headers, body, quiet }).await?;
            let status = answer.status;
            Ok((status, answer.whole().await?))
        };
        let at = self.address.shown();
        let (status, body) = match timeout(spec.timeout, asked).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(HttpFault::Away(why) | HttpFault::Unusable(why))) => return Err(Fault::Away(why)),
            Err(_) => return Err(Fault::Away(format!("{at} does not answer within {:?}", spec.timeout))),
        };
        match status {
            200..300 => Ok(message::rejected(&body)),
            429 | 502..=504 => Err(Fault::Away(format!("{at} answers {status}"))),
            401 | 403 => Err(Fault::Refused(format!("{at} answers {status}: check OTEL_EXPORTER_OTLP_HEADERS"))),
            404 => Err(Fault::Refused(format!("{at} answers {status}: check the path; it takes no traces there"))),
            _ => Err(Fault::Refused(format!("{at} answers {status}"))),
        }
    }
}

#[async_trait]
impl SpanSink for Otlp {
    fn put(&self, span: Span) {
        self.shared.open.fetch_add(1, Ordering::Relaxed);
        if self.queue.try_send(span).is_err() {
            self.shared.open.fetch_sub(1, Ordering::Relaxed);
            self.shared.told(&SpanEvent::Dropped(1));
        }
    }

    async fn probe(&self) -> Result<String, String> {
        match self.shared.send(&[]).await {
            Ok(_) => Ok(self.shared.address.shown()),
            Err(Fault::Away(why) | Fault::Refused(why)) => Err(why),
        }
    }

    async fn close(&self, within: Duration) {
        self.shared.closing.cancel();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut task) = task
            && timeout(within, &mut task).await.is_err()
        {
            task.abort();
        }
        let left = self.shared.open.swap(0, Ordering::Relaxed);
        if left > 0 {
            self.shared.told(&SpanEvent::Dropped(left));
        }
    }
}
