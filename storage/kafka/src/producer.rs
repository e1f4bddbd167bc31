//! A producer that answers every record once, and whose client is made anew when it cannot go on.
//!
//! It is idempotent, so a retry of its own is never stored twice, and waits for all replicas in
//! sync. Where librdkafka loses track of what a broker has stored it declares itself dead for good
//! ("fatal"), fails what it holds and refuses more; a new one takes its place.
//!
//! A new one also takes its place where a record was not acknowledged in time, and no other one was
//! meanwhile. Then the brokers are away, and nothing is lost with the client; or they were, and it may
//! wait without end for what it had asked of them. What the old one has on its way may still be stored,
//! like all that is not acknowledged in time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use guildhall_ports::standing::Asked;
use guildhall_ports::{Failure, Standing};
use metrics::counter;
use parking_lot::Mutex;
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::error::{KafkaError, KafkaResult, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _, ProducerContext};
use tracing::{debug, warn};

use crate::away::Away;
use crate::config::ClusterConfig;
use crate::failure::unavailable;
use crate::known::Known;

/// How often a producer's thread looks whether it is still wanted. The client's `poll` spins through
/// the last millisecond of whatever it is given, so it is given much.
const STOP_CHECK: Duration = Duration::from_secs(1);

/// Told once what became of a record: its offset, or why nobody has acknowledged it.
pub(crate) type OnDelivery = Box<dyn FnOnce(Result<i64, KafkaError>) + Send + Sync>;

/// A record to be stored.
pub(crate) struct Parcel<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: u16,
    pub(crate) key: &'a [u8],
    /// `None` is a tombstone.
    pub(crate) value: Option<&'a [u8]>,
}

/// The producer of one part.
pub(crate) struct Producer {
    what: &'static str,
    settings: ClientConfig,
    seen: Seen,
    running: Mutex<Running>,
}

/// A client with the thread that hears its answers.
struct Running {
    client: Arc<BaseProducer<Answers>>,
    stop: Arc<AtomicBool>,
}

/// What all clients of a process note together.
type Seen = (Away, Known);

/// Carries answers from the client to who waits for them.
struct Answers {
    seen: Seen,
    /// Whether this client is of use, by its records alone.
    standing: Standing,
}

/// A record that is on its way.
struct Posted {
    /// As all clients see it, and as this one does.
    asked: (Asked, Asked),
    on_delivery: OnDelivery,
}

impl Producer {
    /// `queue_bytes_max` is what the caller will have on its way at most; a little more is let in
    /// here, so that the caller's bound is the one that counts.
    pub(crate) fn start(
        what: &'static str,
        cluster: &ClusterConfig,
        queue_bytes_max: usize,
        seen: Seen,
    ) -> Result<Self, Failure> {
        let kbytes = queue_bytes_max / 1024 + 64 * 1024;
        let mut settings = cluster.client();
        settings
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("message.timeout.ms", cluster.ack_timeout_ms.to_string())
            .set("linger.ms", cluster.linger_ms.to_string())
            .set(
                "queue.buffering.max.kbytes",
                kbytes.min(2_097_151).to_string(),
            )
            .set("retry.backoff.ms", "20")
            .set("retry.backoff.max.ms", "500");
        let running =
            Running::start(&settings, seen.clone()).map_err(|error| unavailable(what, &error))?;
        Ok(Self {
            what,
            settings,
            seen,
            running: Mutex::new(running),
        })
    }

    /// Hands a record over. `Ok`: the record is on its way and `on_delivery` will be told. `Err`:
    /// it is not and will never be, and nobody is told.
    pub(crate) fn send(&self, parcel: &Parcel<'_>, on_delivery: OnDelivery) -> Result<(), Failure> {
        let failed = |error| unavailable(self.what, &error);
        let mut running = self.running.lock();
        if running.is_spent() {
            debug!(
                "{}: another client is tried, nothing is acknowledged to this one",
                self.what
            );
            *running = self.another().map_err(failed)?;
        }
        let on_delivery = match running.send(parcel, on_delivery) {
            Ok(()) => return Ok(()),
            Err((error, on_delivery)) if is_fatal(&error) => on_delivery,
            Err((error, _)) => return Err(failed(error)),
        };
        if let Some((code, why)) = running.client.client().fatal_error() {
            warn!(%code, "a producer cannot go on, another takes its place: {why}");
        }
        *running = self.another().map_err(failed)?;
        running
            .send(parcel, on_delivery)
            .map_err(|(error, _)| failed(error))
    }

    fn another(&self) -> KafkaResult<Running> {
        counter!("guildhall_log_clients_replaced_total", "what" => self.what).increment(1);
        Running::start(&self.settings, self.seen.clone())
    }

    /// Waits until everything that was handed over is answered. Blocks.
    pub(crate) fn flush(&self, patience: Duration) -> Result<(), Failure> {
        let client = Arc::clone(&self.running.lock().client);
        let flushed = client.flush(patience);
        flushed.map_err(|error| unavailable(self.what, &error))
    }
}

fn is_fatal(error: &KafkaError) -> bool {
    error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal)
}

impl Running {
    fn start(settings: &ClientConfig, seen: Seen) -> KafkaResult<Self> {
        let standing = Standing::default();
        let client: BaseProducer<_> = settings.create_with_context(Answers { seen, standing })?;
        let client = Arc::new(client);
        let stop = Arc::new(AtomicBool::new(false));
        let (polled, told) = (Arc::clone(&client), Arc::clone(&stop));
        // The thread holds the client to its end, so that the client never ends within one of its
        // own answers.
        let run = move || {
            while !told.load(Ordering::Relaxed) {
                polled.poll(STOP_CHECK);
            }
        };
        let thread = thread::Builder::new().name("kafka-answers".to_owned());
        let started = thread.spawn(run);
        started.map_err(|error| KafkaError::ClientCreation(error.to_string()))?;
        Ok(Self { client, stop })
    }

    /// What was handed over was not acknowledged in time, and nothing else was meanwhile.
    fn is_spent(&self) -> bool {
        self.client.context().standing.is_away()
    }

    fn send(
        &self,
        parcel: &Parcel<'_>,
        on_delivery: OnDelivery,
    ) -> Result<(), (KafkaError, OnDelivery)> {
        let Answers { seen, standing } = &**self.client.context();
        let asked = (seen.0.ask(), standing.ask());
        let posted = Box::new(Posted { asked, on_delivery });
        let mut record = BaseRecord::with_opaque_to(parcel.topic, posted)
            .partition(parcel.partition.into())
            .key(parcel.key);
        if let Some(value) = parcel.value {
            record = record.payload(value);
        }
        self.client
            .send(record)
            .map_err(|(error, record)| (error, record.delivery_opaque.on_delivery))
    }
}

/// What is on its way fails soon after, because the thread ends and with it the client.
impl Drop for Running {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl ClientContext for Answers {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.seen.0.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.seen.0.error(error, reason);
    }
}

impl ProducerContext for Answers {
    type DeliveryOpaque = Box<Posted>;

    fn delivery(&self, delivered: &DeliveryResult<'_>, posted: Box<Posted>) {
        let (away, known) = &self.seen;
        let (asked, asked_here) = posted.asked;
        match delivered {
            Ok(message) => {
                self.standing.worked();
                away.is_back();
                // Before who waits asks for it.
                let next = message.offset() + 1;
                known.raise(message.topic(), message.partition(), next);
                (posted.on_delivery)(Ok(message.offset()));
            }
            Err((error, _)) => {
                if error.rdkafka_error_code() == Some(RDKafkaErrorCode::MessageTimedOut) {
                    self.standing.failed(asked_here, "nothing is acknowledged");
                }
                away.has_failed(asked, error);
                (posted.on_delivery)(Err(error.clone()));
            }
        }
    }
}

#[cfg(test)]
mod tests;
