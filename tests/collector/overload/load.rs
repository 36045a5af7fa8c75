//! Clients that send too much, over gRPC and over HTTP/1.1, and what they were told.

use std::time::Duration;

use bytes::Bytes;
use futures::future::join_all;
use tokio::time::{Instant, sleep_until};

use crate::client::Client;
use crate::collector::Collector;
use crate::telemetry::spans;
use crate::web::{Version, Web};

/// When a client sends.
#[derive(Clone, Copy)]
pub(super) enum Pace {
    /// A request in that time, if the last one was answered.
    Every(Duration),
    /// As soon as the last one was answered, whatever the answer.
    AtOnce,
}

/// Clients of one kind.
pub(super) struct Load {
    /// Over HTTP/1.1; else over gRPC.
    pub(super) http: bool,
    /// How many, each with a connection of its own.
    pub(super) clients: usize,
    /// Spans in a request.
    pub(super) items: usize,
    /// Bytes in a span.
    pub(super) filling: usize,
    pub(super) pace: Pace,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) taken: u64,
    pub(super) taken_items: u64,
    pub(super) refused: u64,
    /// Answers that are neither, a few of them.
    pub(super) wrong: Vec<String>,
}

impl Tally {
    fn count(&mut self, items: usize, answer: Result<bool, String>) {
        match answer {
            Ok(true) => {
                self.taken += 1;
                self.taken_items += items as u64;
            }
            Ok(false) => self.refused += 1,
            Err(wrong) if self.wrong.len() < 5 => self.wrong.push(wrong),
            Err(_) => {}
        }
    }
}

/// Presses on for so long.
pub(super) async fn press(collector: &Collector, loads: &[Load], duration: Duration) -> Tally {
    let until = Instant::now() + duration;
    let clients = loads.iter().flat_map(|load| {
        let message = Bytes::from(spans("heavy", 0..load.items, load.filling));
        (0..load.clients).map(move |number| {
            let (http, items, pace) = (load.http, load.items, load.pace);
            let (grpc, web) = (collector.grpc, collector.http);
            let message = message.clone();
            tokio::spawn(async move {
                let mut client = match http {
                    true => Any::Http(Web::new(web, Version::One)),
                    false => Any::Grpc(Client::connect(grpc).await),
                };
                let mut tally = Tally::default();
                let mut next = Instant::now();
                if let Pace::Every(pause) = pace {
                    // Not all in step.
                    next += pause * u32::try_from(number).expect("few") / 40;
                }
                while Instant::now() < until {
                    if let Pace::Every(pause) = pace {
                        sleep_until(next).await;
                        next = Instant::now().max(next + pause);
                    }
                    tally.count(items, client.send(&message).await);
                }
                tally
            })
        })
    });
    let mut all = Tally::default();
    for tally in join_all(clients).await {
        let tally = tally.expect("a client");
        all.taken += tally.taken;
        all.taken_items += tally.taken_items;
        all.refused += tally.refused;
        all.wrong.extend(tally.wrong);
    }
    all
}

enum Any {
    Grpc(Client),
    Http(Web),
}

impl Any {
    /// Whether it was taken, or refused for now; else what was said.
    async fn send(&mut self, message: &Bytes) -> Result<bool, String> {
        match self {
            Self::Grpc(client) => {
                let status = client.export(message).await.map_err(|error| format!("{error:?}"))?;
                match (status.code, status.retry_after) {
                    (0, _) => Ok(true),
                    (14, Some(_)) => Ok(false),
                    _ => Err(format!("{status:?}")),
                }
            }
            Self::Http(web) => {
                let headers = [("content-type", "application/x-protobuf")];
                let answer = web.post("/v1/traces", &headers, message.clone()).await;
                let answer = answer.map_err(|error| format!("{error:?}"))?;
                match (answer.status.as_u16(), answer.headers.get("retry-after")) {
                    (200, _) => Ok(true),
                    (503, Some(_)) => Ok(false),
                    _ => Err(format!("{answer:?}")),
                }
            }
        }
    }
}
