//! Clients that send too much, over gRPC and over HTTP/1.1, and what they were told.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use tokio::time::{Instant, sleep_until};

use super::SPANS;
use crate::client::Client;
use crate::collector::Collector;
use crate::telemetry::spans;
use crate::web::{Version, Web};

/// When a client sends, once its last request was answered.
#[derive(Clone, Copy)]
pub(super) enum Pace {
    /// A request in that time, whatever the answer.
    Every(Duration),
    /// At once, or a moment after it was refused: there is always something to do.
    AsTold,
}

/// After a refusal.
const MOMENT: Duration = Duration::from_millis(200);

/// A load.
pub(super) struct Load {
    /// How many clients, each with a connection of its own; each second one speaks HTTP/1.1.
    pub(super) clients: usize,
    pub(super) pace: Pace,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) taken: u64,
    pub(super) taken_items: u64,
    /// Requests refused for now, by code.
    pub(super) by_code: BTreeMap<&'static str, u64>,
    /// Answers that are neither, a few of them.
    pub(super) wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, said: Said) {
        match said {
            Said::Taken => {
                self.taken += 1;
                self.taken_items += SPANS.0 as u64;
            }
            Said::Later(code, _) => *self.by_code.entry(code).or_default() += 1,
            Said::Wrong(wrong) => self.wrong.push(wrong),
        }
        self.wrong.truncate(5);
    }

    fn add(&mut self, other: Self) {
        self.taken += other.taken;
        self.taken_items += other.taken_items;
        for (code, requests) in other.by_code {
            *self.by_code.entry(code).or_default() += requests;
        }
        self.wrong.extend(other.wrong);
    }

    /// Requests that were refused for now.
    pub(super) fn refused(&self) -> u64 {
        self.by_code.values().sum()
    }

    /// Items that were sent, taken or not.
    pub(super) fn offered(&self) -> u64 {
        (self.taken + self.refused()) * SPANS.0 as u64
    }
}

/// Presses on for so long.
pub(super) async fn press(collector: &Collector, load: &Load, duration: Duration) -> Tally {
    let (start, pace) = (Instant::now(), load.pace);
    let message = Bytes::from(spans("heavy", 0..SPANS.0, SPANS.1));
    let clients = (0..load.clients).map(|number| {
        let message = message.clone();
        let mut client = Any::new(collector, number % 2 == 1);
        let mut next = start;
        if let Pace::Every(every) = pace {
            // Not all in step.
            next += every * u32::try_from(number).expect("few") / 40;
        }
        tokio::spawn(async move {
            let mut tally = Tally::default();
            while next.max(Instant::now()) < start + duration {
                sleep_until(next).await;
                let said = client.send(&message).await;
                match pace {
                    Pace::Every(every) => next += every,
                    Pace::AsTold if matches!(said, Said::Later(..)) => {
                        next = Instant::now() + MOMENT;
                    }
                    Pace::AsTold => {}
                }
                tally.count(said);
            }
            tally
        })
    });
    let mut all = Tally::default();
    for tally in join_all(clients).await {
        all.add(tally.expect("a client"));
    }
    all
}

/// What a client is told.
pub(super) enum Said {
    Taken,
    /// To come again so much later.
    Later(&'static str, Duration),
    /// Nothing that a client could make use of.
    Wrong(String),
}

/// A client of either protocol, which connects when it sends.
pub(super) enum Any {
    Grpc(SocketAddr, Option<Client>),
    Http(Web),
}

impl Any {
    pub(super) fn new(collector: &Collector, http: bool) -> Self {
        Self::at(collector.grpc, collector.http, http)
    }

    pub(super) fn at(grpc: SocketAddr, web: SocketAddr, http: bool) -> Self {
        match http {
            true => Self::Http(Web::new(web, Version::One)),
            false => Self::Grpc(grpc, None),
        }
    }

    pub(super) async fn send(&mut self, message: &Bytes) -> Said {
        match self {
            Self::Grpc(address, client) => {
                if client.is_none() {
                    *client = Some(Client::connect(*address).await);
                }
                let client = client.as_mut().expect("connected");
                match client.export(message).await {
                    Ok(status) => match (status.code, status.retry_after) {
                        (0, _) => Said::Taken,
                        (14, Some(after)) => Said::Later("UNAVAILABLE", after),
                        _ => Said::Wrong(format!("{status:?}")),
                    },
                    Err(error) => Said::Wrong(format!("gRPC: {error:?}")),
                }
            }
            Self::Http(web) => {
                let headers = [("content-type", "application/x-protobuf")];
                match web.post("/v1/traces", &headers, message.clone()).await {
                    Ok(answer) => {
                        let after = answer.headers.get("retry-after");
                        let after = after.and_then(|text| text.to_str().ok()?.parse().ok());
                        match (answer.status.as_u16(), after) {
                            (200, _) => Said::Taken,
                            (503, Some(after)) => Said::Later("503", Duration::from_secs(after)),
                            _ => Said::Wrong(format!("{answer:?}")),
                        }
                    }
                    Err(error) => Said::Wrong(format!("HTTP: {error:?}")),
                }
            }
        }
    }
}
