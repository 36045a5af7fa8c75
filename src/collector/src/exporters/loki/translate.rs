//! Log records in OTLP to logproto.PushRequest. Pure.
