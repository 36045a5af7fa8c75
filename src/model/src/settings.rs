//! `settings!`: one declaration of a group of settings, from which its struct, its defaults, its
//! decoding and its documentation derive; and the kinds of field beyond plain types.

use std::fmt;

use crate::decode::{Decoder, KeyDoc, Setting, shown, text};
use crate::problem::Code;
use crate::value::Value;

/// Declares a group of settings: `/// doc`, `key: Type = default`. A trailing
/// `check = function` names a `fn(&Self, &mut Decoder)` that is called once all keys are read.
macro_rules! settings {
    (
        $(#[doc = $about:literal])+
        pub struct $name:ident {
            $( $(#[doc = $doc:literal])+ $field:ident: $type:ty = $default:expr, )*
        }
        $(check = $check:path;)?
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $( $(#[doc = $doc])+ pub $field: $type, )*
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $( $field: $default, )* }
            }
        }

        impl $crate::decode::Setting for $name {
            fn decode(
                value: &$crate::Value,
                d: &mut $crate::decode::Decoder,
            ) -> Option<Self> {
                if !$crate::decode::is_map(value, d) {
                    return None;
                }
                $crate::decode::unknown_keys(
                    value,
                    &[$( $crate::settings::key(stringify!($field)), )*],
                    d,
                );
                let read = Self {
                    $( $field: $crate::decode::field(
                        value,
                        $crate::settings::key(stringify!($field)),
                        $default,
                        d,
                    ), )*
                };
                $( $check(&read, d); )?
                Some(read)
            }

            fn type_name() -> String {
                "group".into()
            }

            fn keys() -> Vec<$crate::decode::KeyDoc> {
                #[allow(unused_mut)] // a group without keys
                let mut keys = Vec::new();
                $( $crate::settings::document::<$type>(
                    &mut keys,
                    $crate::settings::key(stringify!($field)),
                    &$default,
                    concat!($($doc, "\n"),+),
                ); )*
                keys
            }

            fn show(&self) -> String {
                String::new()
            }
        }
    };
}

/// Declares a setting that takes one of a few words, in any case, as otelcol's own do (log level,
/// verbosity, actions).
macro_rules! choice {
    (
        $(#[doc = $about:literal])+
        pub enum $name:ident { $( $(#[doc = $doc:literal])+ $variant:ident = $word:literal, )+ }
    ) => {
        $(#[doc = $about])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $( $(#[doc = $doc])+ $variant, )+ }

        impl $name {
            /// The word in the configuration.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $( Self::$variant => $word, )+ }
            }
        }

        impl $crate::decode::Setting for $name {
            fn decode(
                value: &$crate::Value,
                d: &mut $crate::decode::Decoder,
            ) -> Option<Self> {
                let word = $crate::decode::text(value, d)?;
                let is_written = |choice: &Self| choice.as_str().eq_ignore_ascii_case(word);
                let found = [$( Self::$variant, )+].into_iter().find(is_written);
                if found.is_none() {
                    let words = [$( $word, )+].map(|word| format!("{word:?}")).join(", ");
                    let message =
                        format!("{} is none of {words}", $crate::decode::shown(value));
                    d.problem($crate::Code::InvalidValue, message);
                }
                found
            }

            fn type_name() -> String {
                [$( $word, )+].map(|w| if w.is_empty() { "\"\"" } else { w }).join(" or ")
            }

            fn show(&self) -> String {
                // In quotes where it would not be read as text otherwise.
                let word = self.as_str();
                match $crate::yaml::parse(word) {
                    Ok($crate::Value::String(_)) => word.to_owned(),
                    _ => format!("{word:?}"),
                }
            }
        }
    };
}

pub(crate) use {choice, settings};

/// The key of a field: Rust's own words are written with a prefix.
#[must_use]
pub fn key(field: &'static str) -> &'static str {
    field.strip_prefix("r#").unwrap_or(field)
}

/// Adds a field and the keys below it to the documentation.
pub fn document<T: Setting>(keys: &mut Vec<KeyDoc>, key: &str, default: &T, doc: &str) {
    let below = T::keys();
    if below.is_empty() {
        keys.push(KeyDoc {
            key: key.to_owned(),
            type_name: T::type_name(),
            default: if default.is_missing() { "required".into() } else { default.show() },
            doc: doc.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned(),
        });
    }
    keys.extend(below.into_iter().map(|k| KeyDoc { key: format!("{key}.{}", k.key), ..k }));
}

/// An address to listen on: `host:port`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListenAddress {
    /// A name, or an address without brackets; empty for all addresses.
    pub host: String,
    /// The port.
    pub port: u16,
    given: bool,
}

impl ListenAddress {
    /// An address.
    #[must_use]
    pub fn new(host: &str, port: u16) -> Self {
        Self { host: host.to_owned(), port, given: true }
    }

    /// The default of one that must be given.
    #[must_use]
    pub fn required() -> Self {
        Self::default()
    }

    /// Whether only the machine or pod itself can reach it.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        let address: Option<std::net::IpAddr> = self.host.parse().ok();
        self.host == "localhost" || address.is_some_and(|address| address.is_loopback())
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Setting for ListenAddress {
    fn decode(value: &Value, d: &mut Decoder) -> Option<Self> {
        let text = text(value, d)?;
        match host_and_port(text) {
            Ok((host, port)) => Some(Self { host, port, given: true }),
            Err(why) => {
                let message = format!("{} is no address to listen on: {why}", shown(value));
                d.problem(Code::InvalidValue, message);
                None
            }
        }
    }

    fn type_name() -> String {
        "host:port".into()
    }

    fn show(&self) -> String {
        self.to_string()
    }

    fn is_missing(&self) -> bool {
        !self.given
    }
}

/// A gRPC target: `host:port`, with `http://`, `https://` or `dns:///` before it if need be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// As written.
    pub text: String,
    /// Host name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Whether a scheme decides about TLS: `https` yes, `http` no, none: the tls settings.
    pub secure: Option<bool>,
}

impl Target {
    /// The default of one that must be given.
    #[must_use]
    pub fn required() -> Self {
        Self::default()
    }
}

impl Setting for Target {
    fn decode(value: &Value, d: &mut Decoder) -> Option<Self> {
        let text = text(value, d)?;
        let (secure, rest) = match text.split_once("://") {
            Some(("http", rest)) => (Some(false), rest),
            Some(("https", rest)) => (Some(true), rest),
            Some(("dns", rest)) => (None, rest.trim_start_matches('/')),
            _ => (None, text.strip_prefix("dns:").unwrap_or(text)),
        };
        match host_and_port(rest.trim_end_matches('/')) {
            Ok((host, port)) if !host.is_empty() && port != 0 => {
                Some(Self { text: text.to_owned(), host, port, secure })
            }
            Ok(_) => {
                let message = format!("{} needs a host and a port to send to", shown(value));
                d.problem(Code::InvalidValue, message);
                None
            }
            Err(why) => {
                let message = format!("{} is no host:port to send to: {why}", shown(value));
                d.problem(Code::InvalidValue, message);
                None
            }
        }
    }

    fn type_name() -> String {
        "host:port".into()
    }

    fn show(&self) -> String {
        self.text.clone()
    }

    fn is_missing(&self) -> bool {
        self.text.is_empty()
    }
}

fn host_and_port(text: &str) -> Result<(String, u16), &'static str> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, tail) = rest.split_once(']').ok_or("a bracket is not closed")?;
            let port = tail.strip_prefix(':').ok_or("the port is missing")?;
            host.parse::<std::net::Ipv6Addr>().map_err(|_| "no IPv6 address in the brackets")?;
            (host, port)
        }
        None => {
            let (host, port) = text.rsplit_once(':').ok_or("the port is missing")?;
            if host.contains(':') {
                return Err("an IPv6 address stands in brackets, as in [::1]:4317");
            }
            (host, port)
        }
    };
    let letters = host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b));
    if !letters {
        return Err("a host is letters, digits, dots and hyphens");
    }
    if !port.bytes().all(|b| b.is_ascii_digit()) {
        return Err("the port is a number up to 65535");
    }
    let port = port.parse().map_err(|_| "the port is a number up to 65535")?;
    Ok((host.to_owned(), port))
}

/// An `http://` or `https://` address to send to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpUrl(pub String);

impl HttpUrl {
    /// The default of one that must be given.
    #[must_use]
    pub fn required() -> Self {
        Self::default()
    }
}

impl Setting for HttpUrl {
    fn decode(value: &Value, d: &mut Decoder) -> Option<Self> {
        let text = text(value, d)?;
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let authority = rest.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
        let host = authority.map(|a| a.rsplit_once('@').map_or(a, |(_, host)| host));
        let good = host.is_some_and(|host| {
            let with_port =
                |text: &str| host_and_port(text).is_ok_and(|(host, _)| !host.is_empty());
            with_port(host) || with_port(&format!("{host}:80"))
        });
        if !good || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            let message = format!("{} is no URL: http:// or https:// and a host", shown(value));
            d.problem(Code::InvalidValue, message);
            return None;
        }
        Some(Self(text.to_owned()))
    }

    fn type_name() -> String {
        "URL".into()
    }

    fn show(&self) -> String {
        self.0.clone()
    }

    fn is_missing(&self) -> bool {
        self.0.is_empty()
    }
}

/// Text that is never shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[REDACTED]")
    }
}

impl Setting for Secret {
    fn decode(value: &Value, d: &mut Decoder) -> Option<Self> {
        text(value, d).map(|text| Self(text.to_owned()))
    }

    fn type_name() -> String {
        "string".into()
    }

    fn show(&self) -> String {
        String::new()
    }
}

/// Any value: what it means depends on other settings.
impl Setting for Value {
    fn decode(value: &Value, _: &mut Decoder) -> Option<Self> {
        Some(value.clone())
    }

    fn type_name() -> String {
        "any".into()
    }

    fn show(&self) -> String {
        String::new()
    }
}

#[cfg(test)]
mod tests;
