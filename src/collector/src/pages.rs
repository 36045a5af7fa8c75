//! The collector's own pages: the admin listener, health_check, and the metrics at localhost:8888.

use std::future::ready;
use std::sync::Arc;

use http::StatusCode;
use obspipe_model::components::health_check::HealthCheck;

use crate::service::Service;
use crate::service::page::{Pages, Showing, Shown};
use crate::telemetry::metrics;

/// `/livez`, `/readyz`, `/status` and `/metrics` (design, One admin listener).
pub struct Admin(pub Arc<Service>);

impl Admin {
    fn shown(&self, path: &str) -> Option<Shown> {
        match path {
            "/livez" => Some(Shown::text(StatusCode::OK, "ok\n")),
            "/readyz" if self.0.is_ready() => Some(Shown::text(StatusCode::OK, "ok\n")),
            "/readyz" => Some(Shown::text(StatusCode::SERVICE_UNAVAILABLE, "draining\n")),
            "/status" => Some(match serde_json::to_string(&self.0.snapshot()) {
                Ok(json) => Shown::json(StatusCode::OK, json),
                Err(error) => Shown::text(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            }),
            _ => Metrics(self.0.clone()).shown(path),
        }
    }
}

impl Pages for Admin {
    fn page<'a>(&'a self, path: &'a str, _: Option<&'a str>) -> Showing<'a> {
        Box::pin(ready(self.shown(path)))
    }
}

/// `/metrics` alone.
pub struct Metrics(pub Arc<Service>);

impl Metrics {
    fn shown(&self, path: &str) -> Option<Shown> {
        (path == "/metrics").then(|| Shown {
            status: StatusCode::OK,
            content_type: metrics::CONTENT_TYPE.into(),
            body: metrics::page(&self.0.snapshot()).into(),
        })
    }
}

impl Pages for Metrics {
    fn page<'a>(&'a self, path: &'a str, _: Option<&'a str>) -> Showing<'a> {
        Box::pin(ready(self.shown(path)))
    }
}

/// The health_check extension.
pub struct Health {
    /// What it tells of.
    pub service: Arc<Service>,
    /// How.
    pub settings: HealthCheck,
}

impl Health {
    fn shown(&self, path: &str) -> Option<Shown> {
        if path != self.settings.path {
            return None;
        }
        let ready = self.service.is_ready();
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        if let Some(body) = &self.settings.response_body {
            let text = if ready { &body.healthy } else { &body.unhealthy };
            return Some(Shown::text(status, text.clone()));
        }
        let said = if ready { "Server available" } else { "Server not available" };
        let uptime = self.service.started.elapsed().as_secs();
        let json = serde_json::json!({"status": said, "uptime": format!("{uptime}s")});
        Some(Shown::json(status, json.to_string()))
    }
}

impl Pages for Health {
    fn page<'a>(&'a self, path: &'a str, _: Option<&'a str>) -> Showing<'a> {
        Box::pin(ready(self.shown(path)))
    }
}
