//! jaeger.api_v2 as prost reads it (jaeger-idl model.proto and collector.proto), to look at what
//! was written. Strings are bytes here, as contrib writes such as are no UTF-8.

use prost::Message;

#[derive(Clone, PartialEq, Message)]
pub(super) struct PostSpansRequest {
    #[prost(message, optional, tag = "1")]
    pub(super) batch: Option<Batch>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Batch {
    #[prost(message, repeated, tag = "1")]
    pub(super) spans: Vec<Span>,
    #[prost(message, optional, tag = "2")]
    pub(super) process: Option<Process>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Process {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) service_name: Vec<u8>,
    #[prost(message, repeated, tag = "2")]
    pub(super) tags: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Span {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) operation_name: Vec<u8>,
    #[prost(message, repeated, tag = "4")]
    pub(super) references: Vec<SpanRef>,
    #[prost(uint32, tag = "5")]
    pub(super) flags: u32,
    #[prost(message, optional, tag = "6")]
    pub(super) start_time: Option<Time>,
    #[prost(message, optional, tag = "7")]
    pub(super) duration: Option<Time>,
    #[prost(message, repeated, tag = "8")]
    pub(super) tags: Vec<KeyValue>,
    #[prost(message, repeated, tag = "9")]
    pub(super) logs: Vec<Log>,
    #[prost(message, optional, tag = "10")]
    pub(super) process: Option<Process>,
    #[prost(bytes = "vec", tag = "11")]
    pub(super) process_id: Vec<u8>,
    #[prost(bytes = "vec", repeated, tag = "12")]
    pub(super) warnings: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct SpanRef {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub(super) span_id: Vec<u8>,
    #[prost(int32, tag = "3")]
    pub(super) ref_type: i32,
}

/// google.protobuf.Timestamp and Duration.
#[derive(Clone, Copy, PartialEq, Message)]
pub(super) struct Time {
    #[prost(int64, tag = "1")]
    pub(super) seconds: i64,
    #[prost(int32, tag = "2")]
    pub(super) nanos: i32,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct Log {
    #[prost(message, optional, tag = "1")]
    pub(super) timestamp: Option<Time>,
    #[prost(message, repeated, tag = "2")]
    pub(super) fields: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub(super) struct KeyValue {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) key: Vec<u8>,
    #[prost(int32, tag = "2")]
    pub(super) v_type: i32,
    #[prost(bytes = "vec", tag = "3")]
    pub(super) v_str: Vec<u8>,
    #[prost(bool, tag = "4")]
    pub(super) v_bool: bool,
    #[prost(int64, tag = "5")]
    pub(super) v_int64: i64,
    /// The bits of a double, so that every NaN equals itself.
    #[prost(fixed64, tag = "6")]
    pub(super) v_float64: u64,
    #[prost(bytes = "vec", tag = "7")]
    pub(super) v_binary: Vec<u8>,
}
