//! Every component that is built in, and how it is made from its settings: the one place that knows
//! them all. A new component is one more arm; its name, keys and docs are the model's table.

use std::sync::Arc;

use obspipe_model::catalogue::Component;
use obspipe_model::components::network::{Queue, Retry};
use obspipe_model::components::{batch, debug as debug_settings, memory_limiter};

use crate::exporters::{debug, jaeger, loki, otlp, otlp_http, prometheus};
use crate::flow::account::Account;
use crate::flow::leg::Consume;
use crate::flow::send::Transport;
use crate::net::listen::{BindError, Listeners};
use crate::net::resolve::Resolver;
use crate::net::tls::TlsError;
use crate::processors::attributes::{Editor, EditorError};
use crate::receivers::otlp as otlp_receiver;
use crate::service::page::{Page, PageError};

/// What components are made with.
pub struct Parts<'a> {
    /// The sockets of the process.
    pub listeners: &'a Listeners,
    /// Finds addresses.
    pub resolver: &'a Resolver,
    /// Where memory is counted.
    pub account: &'a Arc<Account>,
}

/// Why a component cannot be prepared. None of it has any effect but sockets opened.
#[derive(Debug, thiserror::Error)]
pub enum PrepareError {
    /// A receiver.
    #[error(transparent)]
    Receiver(#[from] otlp_receiver::PrepareError),
    /// A network exporter.
    #[error(transparent)]
    Client(#[from] crate::exporters::client::ClientError),
    /// A page that others read.
    #[error(transparent)]
    Page(#[from] PageError),
    /// Actions on attributes.
    #[error(transparent)]
    Editor(#[from] EditorError),
    /// A socket.
    #[error(transparent)]
    Bind(#[from] BindError),
    /// TLS files.
    #[error("tls.{0}")]
    Tls(#[from] TlsError),
    /// It is none of the kind asked for; the check of the configuration saw to it.
    #[error("is no {0}")]
    Kind(&'static str),
}

/// An exporter that is ready.
pub enum Exporter {
    /// Sends what waits in a queue.
    Sending {
        /// How.
        transport: Arc<dyn Transport>,
        /// What waits.
        queue: Queue,
        /// When to try again.
        retry: Retry,
    },
    /// Is done at once.
    Direct {
        /// Takes loads.
        consumer: Arc<dyn Consume>,
        /// What it shows of them.
        page: Option<Page>,
    },
}

/// A processor that is ready.
pub enum Processor {
    /// Sets limits of the account, for the pipelines that have it.
    Limit(memory_limiter::MemoryLimiter),
    /// Gathers.
    Batch(batch::Batch),
    /// Edits.
    Edit(Arc<Editor>),
}

/// Prepares a receiver.
///
/// # Errors
/// See [`PrepareError`].
pub fn receiver(
    component: &Component,
    parts: &Parts<'_>,
) -> Result<otlp_receiver::Prepared, PrepareError> {
    match component {
        Component::OtlpReceiver(settings) => Ok(otlp_receiver::prepare(settings, parts.listeners)?),
        _ => Err(PrepareError::Kind("receiver")),
    }
}

/// Prepares a processor.
///
/// # Errors
/// See [`PrepareError`].
pub fn processor(component: &Component) -> Result<Processor, PrepareError> {
    match component {
        Component::MemoryLimiter(settings) => Ok(Processor::Limit(settings.clone())),
        Component::Batch(settings) => Ok(Processor::Batch(settings.clone())),
        Component::Attributes(settings) => {
            Ok(Processor::Edit(Arc::new(Editor::attributes(settings)?)))
        }
        Component::Resource(settings) => Ok(Processor::Edit(Arc::new(Editor::resource(settings)?))),
        _ => Err(PrepareError::Kind("processor")),
    }
}

/// Prepares an exporter.
///
/// # Errors
/// See [`PrepareError`].
pub fn exporter(component: &Component, parts: &Parts<'_>) -> Result<Exporter, PrepareError> {
    let resolver = parts.resolver;
    Ok(match component {
        Component::Otlp(settings) => Exporter::Sending {
            transport: Arc::new(otlp::Otlp::new(settings, resolver)?),
            queue: settings.sending_queue.clone(),
            retry: settings.retry_on_failure.clone(),
        },
        Component::OtlpHttp(settings) => Exporter::Sending {
            transport: Arc::new(otlp_http::OtlpHttp::new(settings, resolver)?),
            queue: settings.sending_queue.clone(),
            retry: settings.retry_on_failure.clone(),
        },
        Component::Jaeger(settings) => Exporter::Sending {
            transport: Arc::new(jaeger::Jaeger::new(settings, resolver)?),
            queue: settings.sending_queue.clone(),
            retry: settings.retry_on_failure.clone(),
        },
        Component::Loki(settings) => Exporter::Sending {
            transport: Arc::new(loki::Loki::new(settings, resolver)?),
            queue: settings.sending_queue.clone(),
            retry: settings.retry_on_failure.clone(),
        },
        Component::Prometheus(settings) => {
            let exporter = Arc::new(prometheus::Prometheus::new(settings, parts.account));
            let page = Page::prepare(
                &settings.endpoint,
                settings.tls.as_ref(),
                exporter.clone(),
                parts.listeners,
            )?;
            Exporter::Direct { consumer: exporter, page: Some(page) }
        }
        Component::Debug(settings) => {
            direct(debug::Debug::new(debug_settings::Debug::clone(settings)))
        }
        Component::Nop(_) => direct(debug::Nop),
        _ => return Err(PrepareError::Kind("exporter")),
    })
}

/// The queue settings of an exporter that has one.
#[must_use]
pub fn sending_queue(component: &Component) -> Option<&Queue> {
    match component {
        Component::Otlp(settings) => Some(&settings.sending_queue),
        Component::OtlpHttp(settings) => Some(&settings.sending_queue),
        Component::Jaeger(settings) => Some(&settings.sending_queue),
        Component::Loki(settings) => Some(&settings.sending_queue),
        _ => None,
    }
}

fn direct(consumer: impl Consume + 'static) -> Exporter {
    Exporter::Direct { consumer: Arc::new(consumer), page: None }
}
