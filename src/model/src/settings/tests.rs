//! Kinds of field: addresses, targets, URLs, secrets.

#![allow(unreachable_pub)] // the macros declare public types

use super::*;
use crate::yaml;

/// What a text is read as, or why not.
fn read<T: Setting>(text: &str) -> Result<T, String> {
    let mut d = Decoder::default();
    match T::decode(&Value::String(text.into()), &mut d) {
        Some(value) => Ok(value),
        None => Err(d.problems.told().iter().map(ToString::to_string).collect()),
    }
}

#[test]
fn an_address_to_listen_on_is_a_host_and_a_port() {
    let table = [
        ("0.0.0.0:4317", "0.0.0.0", 4317, false),
        (":8889", "", 8889, false),
        ("localhost:1", "localhost", 1, true),
        ("127.0.0.1:65535", "127.0.0.1", 65535, true),
        ("127.9.9.9:1", "127.9.9.9", 1, true),
        ("[::]:80", "::", 80, false),
        ("[::1]:80", "::1", 80, true),
        ("otel-collector.ns:4317", "otel-collector.ns", 4317, false),
        ("localhost:0", "localhost", 0, true),
    ];
    for (text, host, port, loopback) in table {
        let address: ListenAddress = read(text).unwrap();
        assert_eq!((address.host.as_str(), address.port), (host, port), "{text}");
        assert_eq!(address.is_loopback(), loopback, "{text}");
        assert_eq!(address.to_string(), text);
    }
    let wrong = [
        ("", "the port is missing"),
        ("4317", "the port is missing"),
        ("localhost", "the port is missing"),
        ("localhost:", "the port is a number"),
        ("localhost:http", "the port is a number"),
        ("localhost:65536", "the port is a number"),
        ("localhost:-1", "the port is a number"),
        ("localhost:+1", "the port is a number"),
        ("::1:4317", "stands in brackets"),
        ("[::1:4317", "a bracket is not closed"),
        ("[::1]4317", "the port is missing"),
        ("[host]:1", "no IPv6 address"),
        ("http://0.0.0.0:1", "stands in brackets"),
        ("a b:1", "a host is letters"),
    ];
    for (text, why) in wrong {
        let message = read::<ListenAddress>(text).unwrap_err();
        assert!(message.contains(why), "{text}: {message}");
    }
}

#[test]
fn a_target_is_a_host_and_a_port_with_a_scheme_that_decides_about_tls() {
    let table = [
        ("jaeger:14250", "jaeger", 14250, None),
        ("http://jaeger:14250", "jaeger", 14250, Some(false)),
        ("https://jaeger:14250/", "jaeger", 14250, Some(true)),
        ("dns:///jaeger:14250", "jaeger", 14250, None),
        ("dns:jaeger:14250", "jaeger", 14250, None),
        ("[::1]:4317", "::1", 4317, None),
    ];
    for (text, host, port, secure) in table {
        let target: Target = read(text).unwrap();
        assert_eq!(
            (target.host.as_str(), target.port, target.secure),
            (host, port, secure),
            "{text}"
        );
        assert_eq!(target.text, text);
    }
    let wrong = [
        ("jaeger", "the port is missing"),
        (":14250", "needs a host and a port"),
        ("jaeger:0", "needs a host and a port"),
        ("ftp://jaeger:1", "is no host:port"),
        ("http://jaeger:1/path", "the port is a number"),
    ];
    for (text, why) in wrong {
        let message = read::<Target>(text).unwrap_err();
        assert!(message.contains(why), "{text}: {message}");
    }
}

#[test]
fn a_url_has_a_scheme_and_a_host() {
    for text in [
        "http://loki:3100/loki/api/v1/push",
        "https://loki",
        "http://user:pass@loki:3100/x",
        "http://[::1]:80/",
        "http://[::1]",
        "https://a.b-c/x?y=z#f",
        "http://10.0.0.1",
    ] {
        assert_eq!(read::<HttpUrl>(text), Ok(HttpUrl(text.into())));
    }
    for text in [
        "",
        "loki:3100",
        "http://",
        "http:///x",
        "http://:80",
        "ftp://loki",
        "http://a b",
        "http://lo ki/",
        "http://loki/\n",
        "http://loki:http/",
        "http://loki:99999",
        "http://a:b:c",
        "HTTP//loki",
    ] {
        let message = read::<HttpUrl>(text).unwrap_err();
        assert!(message.contains("is no URL"), "{text:?}: {message}");
    }
}

#[test]
fn a_secret_is_never_shown() {
    let secret: Secret = read("hunter2").unwrap();
    assert_eq!(secret.0, "hunter2");
    assert_eq!(format!("{secret:?} {}", secret.show()), "[REDACTED] ");
}

settings! {
    /// A group
    pub struct Group {
        /// First line
        /// and second.
        r#type: String = "x".into(),
        /// Needed.
        address: ListenAddress = ListenAddress::required(),
        /// Below.
        inner: Option<Inner> = None,
    }
}

settings! {
    /// Another
    pub struct Inner {
        /// A word.
        word: Option<Word> = Some(Word::Two),
    }
}

choice! {
    /// Words
    pub enum Word {
        /// 1
        One = "one",
        /// 2
        Two = "two",
        /// 0
        Empty = "",
    }
}

#[test]
fn one_declaration_gives_decoding_defaults_and_documentation() {
    let keys = Group::keys();
    let shown: Vec<_> = keys
        .iter()
        .map(|k| [&k.key, &k.type_name, &k.default, &k.doc].map(String::as_str))
        .collect();
    let expected = [
        ["type", "string", "\"x\"", "First line and second."],
        ["address", "host:port", "required", "Needed."],
        ["inner.word", "one or two or \"\"", "two", "A word."],
    ];
    assert_eq!(shown, expected);
    let mut d = Decoder::default();
    let group =
        Group::decode(&yaml::parse("{type: y, inner: {word: on}}").unwrap(), &mut d).unwrap();
    assert_eq!(group.r#type, "y");
    assert_eq!(group.inner, Some(Inner::default()));
    let mut messages: Vec<String> = d.problems.told().iter().map(ToString::to_string).collect();
    messages.sort();
    assert_eq!(
        messages,
        [
            "address: must be given [missing]",
            "inner.word: \"on\" is none of \"one\", \"two\", \"\" [invalid-value]",
        ]
    );
}
