//! OTLP in JSON (OTLP specification, JSON Protobuf Encoding): to protobuf and back.
