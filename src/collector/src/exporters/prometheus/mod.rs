//! The prometheus exporter: metrics on a page that Prometheus scrapes.

use obspipe_model::Signal;
use obspipe_model::components::prometheus::Prometheus as Settings;

use crate::flow::chunk::Load;
use crate::flow::ledger::Reason;
use crate::flow::leg::Consume;
use crate::service::page::{Pages, Shown};

pub struct Prometheus;
impl Prometheus {
    pub fn new(_: &Settings) -> Self {
        Self
    }
}
impl Consume for Prometheus {
    fn consume(&self, _: Signal, _: &Load) -> Vec<(Reason, usize)> {
        Vec::new()
    }
}
impl Pages for Prometheus {
    fn page(&self, _: &str, _: Option<&str>) -> Option<Shown> {
        None
    }
}
