//! A topic's id (KIP-516), asked for over a client that is there already.
//!
//! librdkafka tells it (`rd_kafka_DescribeTopics`, since 2.3), and its Rust client 0.39 has no call for that. This crate is that one
//! call, and the only unsafe code of the house: it stands apart so that `filegen` itself can forbid any. Once the client has the
//! call, this crate goes.

#![deny(unsafe_op_in_unsafe_fn, clippy::undocumented_unsafe_blocks, missing_docs)]

use rdkafka::bindings as sys;
use rdkafka::client::{Client, ClientContext};
use rdkafka::types::{RDKafka, RDKafkaErrorCode, RDKafkaRespErr};
use std::ffi::CString;
use std::ptr::NonNull;
use std::time::Duration;

/// Something of librdkafka's that is ours to give back.
struct Owned<T> {
    it: NonNull<T>,
    give_back: unsafe extern "C" fn(*mut T),
}

impl<T> Owned<T> {
    /// # Safety
    /// `it` is null, or a thing that nobody else gives back and that `give_back` is for.
    unsafe fn new(it: *mut T, give_back: unsafe extern "C" fn(*mut T)) -> Result<Self, RDKafkaErrorCode> {
        NonNull::new(it).map(|it| Self { it, give_back }).ok_or(RDKafkaErrorCode::Fail)
    }

    fn ptr(&self) -> *mut T {
        self.it.as_ptr()
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: by `new`, it is there, it is ours, and this is how it is given back; nothing uses it later.
        unsafe { (self.give_back)(self.it.as_ptr()) }
    }
}

/// Asks for the id that tells a topic from every other one of its name, before and after it. Blocks for at most `patience`.
///
/// 128 bits, the most significant first. Zero comes from brokers before 2.8, which have none.
///
/// # Errors
/// [`RDKafkaErrorCode::OperationTimedOut`] when no answer came in time; else what the broker says, as
/// [`RDKafkaErrorCode::UnknownTopicOrPartition`].
pub fn topic_id<C: ClientContext>(
    client: &Client<C>,
    topic: &str,
    patience: Duration,
) -> Result<u128, RDKafkaErrorCode> {
    // A topic's name has no NUL.
    let name = CString::new(topic).map_err(|_| RDKafkaErrorCode::InvalidTopic)?;
    let event = asked(client.native_ptr(), &name, patience)?;
    // SAFETY: the event is there until the end of this function, and what is read of it here belongs to it. The answer to
    // a DescribeTopics is of that kind (rdkafka.h), else the result is null, which is looked at.
    unsafe {
        result_of(sys::rd_kafka_event_error(event.ptr()))?;
        let result = sys::rd_kafka_event_DescribeTopics_result(event.ptr());
        if result.is_null() {
            return Err(RDKafkaErrorCode::BadMessage);
        }
        let mut count = 0;
        let topics = sys::rd_kafka_DescribeTopics_result_topics(result, &raw mut count);
        if topics.is_null() || count != 1 {
            return Err(RDKafkaErrorCode::UnknownTopicOrPartition);
        }
        let described = *topics;
        let error = sys::rd_kafka_TopicDescription_error(described);
        if !error.is_null() {
            result_of(sys::rd_kafka_error_code(error))?;
        }
        let id = sys::rd_kafka_TopicDescription_topic_id(described);
        if id.is_null() {
            return Ok(0);
        }
        let (most, least) = (sys::rd_kafka_Uuid_most_significant_bits(id), sys::rd_kafka_Uuid_least_significant_bits(id));
        Ok(u128::from(most.cast_unsigned()) << 64 | u128::from(least.cast_unsigned()))
    }
}

/// The answer to a question about one topic.
fn asked(
    client: *mut RDKafka,
    name: &CString,
    patience: Duration,
) -> Result<Owned<sys::rd_kafka_event_t>, RDKafkaErrorCode> {
    let millis = i32::try_from(patience.as_millis()).unwrap_or(i32::MAX);
    let mut names = [name.as_ptr()];
    // SAFETY: the client lives as long as the caller's `&Client`. librdkafka copies the names, and takes what is given to the
    // question before the call returns; the queue is counted, so an answer that comes behind our patience goes nowhere.
    unsafe {
        let topics = Owned::new(
            sys::rd_kafka_TopicCollection_of_topic_names(names.as_mut_ptr(), names.len()),
            sys::rd_kafka_TopicCollection_destroy,
        )?;
        let options = Owned::new(
            sys::rd_kafka_AdminOptions_new(client, sys::rd_kafka_admin_op_t::RD_KAFKA_ADMIN_OP_DESCRIBETOPICS),
            sys::rd_kafka_AdminOptions_destroy,
        )?;
        let mut reason = [0; 1];
        result_of(sys::rd_kafka_AdminOptions_set_request_timeout(options.ptr(), millis, reason.as_mut_ptr(), reason.len()))?;
        let queue = Owned::new(sys::rd_kafka_queue_new(client), sys::rd_kafka_queue_destroy)?;
        sys::rd_kafka_DescribeTopics(client, topics.ptr(), options.ptr(), queue.ptr());
        let event = sys::rd_kafka_queue_poll(queue.ptr(), millis);
        Owned::new(event, sys::rd_kafka_event_destroy).map_err(|_| RDKafkaErrorCode::OperationTimedOut)
    }
}

fn result_of(code: RDKafkaRespErr) -> Result<(), RDKafkaErrorCode> {
    match code {
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NO_ERROR => Ok(()),
        code => Err(code.into()),
    }
}
