//! Leader election by a Lease, as client-go does it. Who holds the lease and what to do about it is
//! a pure decision; leadership is a deadline on the monotonic clock, so that a process that was
//! stopped and goes on writes nothing.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use kube::api::{Api, PostParams};
use kube::core::ObjectMeta;
use kube::{Client, Error as KubeError};
use thiserror::Error;
use tokio::sync::watch;

use crate::api::FIELD_MANAGER;

#[cfg(test)]
mod tests;

/// Another replica leads, or leadership could not be renewed in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("this replica does not lead")]
pub struct NotLeader;

/// Whether this process may write.
#[derive(Clone)]
pub struct Leadership {
    /// None where there is no election.
    until: Option<Arc<Mutex<Option<Instant>>>>,
}

impl Leadership {
    /// Without an election: this process always leads.
    #[must_use]
    pub fn always() -> Self {
        Self { until: None }
    }

    fn elected() -> Self {
        Self { until: Some(Arc::default()) }
    }

    /// Whether this process leads now.
    #[must_use]
    pub fn held(&self) -> bool {
        self.lock().is_none_or(|until| lasts(*until, Instant::now()))
    }

    /// [`Self::held`] as an error to return.
    ///
    /// # Errors
    /// This process does not lead.
    pub fn check(&self) -> Result<(), NotLeader> {
        if self.held() { Ok(()) } else { Err(NotLeader) }
    }

    fn set(&self, to: Option<Instant>) {
        if let Some(mut until) = self.lock() {
            *until = to;
        }
    }

    fn lock(&self) -> Option<MutexGuard<'_, Option<Instant>>> {
        self.until.as_ref().map(|until| until.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether leadership that ends at `until`, if there is any, is still there.
fn lasts(until: Option<Instant>, now: Instant) -> bool {
    until.is_some_and(|until| now < until)
}

/// How long things take. The relations between them are what keeps two replicas from writing at
/// the same time: a leader stops writing well before anybody else may take the lease.
#[derive(Clone, Copy, Debug)]
struct Timing {
    /// Others wait so long after the last renewal that they saw.
    lease: Duration,
    /// A leader that could not renew for so long has lost.
    renew: Duration,
    /// Between two tries, before jitter.
    retry: Duration,
}

const TIMING: Timing = Timing {
    lease: Duration::from_secs(15),
    renew: Duration::from_secs(10),
    retry: Duration::from_secs(2),
};

/// The most by which the pause between two tries is lengthened, as a part of it.
const JITTER: f64 = 0.2;
/// The part of the renewal deadline that one try may take: a connection that died silently must
/// leave time for another try.
const PATIENCE: f64 = 0.5;
/// Tries to release: the first may collide with the renewal that the stop interrupted.
const RELEASE_TRIES: usize = 2;
/// Lease duration written on release: the next replica need not wait.
const RELEASED_SECONDS: i32 = 1;

/// How an election ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElectionEnd {
    /// This process led and does so no longer.
    Lost,
    /// It was told to stop; the lease is released if it was held.
    Stopped,
}

/// The lease as last seen, and since when it has been like that by our own clock. The times in the
/// record are other machines' and are never compared.
#[derive(Clone, Debug)]
struct Observed {
    lease: Lease,
    since: Instant,
}

/// What to do about the lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// There is none: create it.
    Create,
    /// Nobody holds it, or its holder has not renewed it for its whole duration.
    Take,
    /// It is ours.
    Renew,
    /// Somebody else holds it.
    Wait,
}

fn decide(identity: &str, observed: Option<&Observed>, now: Instant, default: Duration) -> Step {
    let Some(observed) = observed else {
        return Step::Create;
    };
    let spec = observed.lease.spec.clone().unwrap_or_default();
    match spec.holder_identity.as_deref().unwrap_or_default() {
        "" => Step::Take,
        holder if holder == identity => Step::Renew,
        _ => {
            let seconds = spec.lease_duration_seconds.and_then(|n| u64::try_from(n).ok());
            let lasts = seconds.map_or(default, Duration::from_secs);
            let idle = now.saturating_duration_since(observed.since);
            if idle >= lasts { Step::Take } else { Step::Wait }
        }
    }
}

/// The record that a step writes. Fields that are not ours stay as they are.
fn record(before: Option<&LeaseSpec>, step: Step, identity: &str, lasts: Duration) -> LeaseSpec {
    let mut spec = before.cloned().unwrap_or_default();
    let now = MicroTime(Timestamp::now());
    if step != Step::Renew || spec.acquire_time.is_none() {
        spec.acquire_time = Some(now.clone());
    }
    let transitions = spec.lease_transitions.unwrap_or(0);
    let taken = i32::from(step == Step::Take);
    spec.lease_transitions = Some(transitions.saturating_add(taken));
    spec.holder_identity = Some(identity.to_owned());
    spec.lease_duration_seconds = i32::try_from(lasts.as_secs()).ok();
    spec.renew_time = Some(now);
    spec
}

fn released(before: &LeaseSpec) -> LeaseSpec {
    LeaseSpec {
        holder_identity: Some(String::new()),
        lease_duration_seconds: Some(RELEASED_SECONDS),
        renew_time: Some(MicroTime(Timestamp::now())),
        ..before.clone()
    }
}

/// A candidate for the lease.
pub struct Election {
    api: Api<Lease>,
    name: String,
    namespace: String,
    identity: String,
    timing: Timing,
    leadership: Leadership,
    leads: watch::Sender<bool>,
    observed: Option<Observed>,
    /// What went wrong last, to log it once.
    complaint: Option<String>,
}

impl Election {
    /// A candidate `identity`, which must be no other process's, for the lease `namespace/name`;
    /// its leadership, and whether it leads.
    #[must_use]
    pub fn new(
        client: Client,
        namespace: &str,
        name: &str,
        identity: String,
    ) -> (Self, Leadership, watch::Receiver<bool>) {
        let leadership = Leadership::elected();
        let (leads, receiver) = watch::channel(false);
        let election = Self {
            api: Api::namespaced(client, namespace),
            name: name.to_owned(),
            namespace: namespace.to_owned(),
            identity,
            timing: TIMING,
            leadership: leadership.clone(),
            leads,
            observed: None,
            complaint: None,
        };
        (election, leadership, receiver)
    }

    /// Stands for election, then renews, until leadership is lost or `stop` turns true.
    pub async fn run(mut self, mut stop: watch::Receiver<bool>) -> ElectionEnd {
        // The start of the last request that made or kept us the leader.
        let mut renewed: Option<Instant> = None;
        loop {
            let started = Instant::now();
            let deadline = renewed.unwrap_or(started) + self.timing.renew;
            if started >= deadline {
                return self.lost("the lease could not be renewed in time");
            }
            let patience = deadline.min(started + self.timing.renew.mul_f64(PATIENCE));
            let outcome = tokio::select! {
                outcome = tokio::time::timeout_at(patience.into(), self.attempt()) => outcome,
                _ = stop.wait_for(|stop| *stop) => break,
            };
            match outcome {
                Ok(Ok(true)) => {
                    renewed = Some(started);
                    self.won(started);
                }
                Ok(Ok(false)) if renewed.is_some() => {
                    return self.lost("another replica took the lease");
                }
                Ok(Ok(false)) => {}
                Ok(Err(error)) => self.complain(&error.to_string()),
                Err(_) => self.complain("no answer in time"),
            }
            tokio::select! {
                () = tokio::time::sleep(self.pause()) => {}
                _ = stop.wait_for(|stop| *stop) => break,
            }
        }
        self.release().await;
        ElectionEnd::Stopped
    }

    /// One try; answers whether the lease is ours.
    async fn attempt(&mut self) -> Result<bool, KubeError> {
        let found = self.api.get_opt(&self.name).await?;
        self.observe(found);
        let step =
            decide(&self.identity, self.observed.as_ref(), Instant::now(), self.timing.lease);
        if step == Step::Wait {
            return Ok(false);
        }
        match self.write(step).await {
            Ok(written) => {
                self.observe(Some(written));
                Ok(true)
            }
            // Somebody else was faster; what they wrote is read at the next try, and whether that
            // ends our leadership is decided then.
            Err(KubeError::Api(status)) if status.code == 409 && step != Step::Renew => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn write(&self, step: Step) -> Result<Lease, KubeError> {
        let before = self.observed.as_ref().map(|observed| &observed.lease);
        let metadata = before.map_or_else(
            || ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() },
            // It carries the resourceVersion that was read: a lease changed since is a conflict.
            |lease| lease.metadata.clone(),
        );
        let before = before.and_then(|lease| lease.spec.as_ref());
        let spec = record(before, step, &self.identity, self.timing.lease);
        let lease = Lease { metadata, spec: Some(spec) };
        if step == Step::Create {
            return self.api.create(&params(), &lease).await;
        }
        self.api.replace(&self.name, &params(), &lease).await
    }

    fn observe(&mut self, found: Option<Lease>) {
        self.observed = found.map(|lease| {
            let same = self.observed.take().filter(|last| last.lease.spec == lease.spec);
            let since = same.map_or_else(Instant::now, |last| last.since);
            Observed { lease, since }
        });
    }

    fn won(&mut self, started: Instant) {
        self.leadership.set(Some(started + self.timing.renew));
        self.complaint = None;
        if !self.leads.send_replace(true) {
            let lease = format!("{}/{}", self.namespace, self.name);
            tracing::info!(lease, identity = self.identity, "leading");
        }
    }

    fn lost(&self, why: &str) -> ElectionEnd {
        self.leadership.set(None);
        self.leads.send_replace(false);
        tracing::warn!(lease = format!("{}/{}", self.namespace, self.name), why, "leadership lost");
        ElectionEnd::Lost
    }

    fn complain(&mut self, error: &str) {
        if self.complaint.as_deref() != Some(error) {
            let lease = format!("{}/{}", self.namespace, self.name);
            tracing::warn!(lease, error, "lease neither taken nor renewed");
            self.complaint = Some(error.to_owned());
        }
    }

    fn pause(&self) -> Duration {
        self.timing.retry.mul_f64(1.0 + JITTER * rand::random::<f64>())
    }

    /// Lets the next replica take over at once. If it cannot, that one waits for the lease to end.
    async fn release(&self) {
        self.leadership.set(None);
        self.leads.send_replace(false);
        match tokio::time::timeout(self.timing.renew, self.write_released()).await {
            Ok(Ok(true)) => tracing::info!("lease released"),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => tracing::warn!(%error, "lease not released"),
            Err(_) => tracing::warn!("lease not released: no answer in time"),
        }
    }

    /// Reads again, as the request that the stop interrupted may have made the lease ours. Writes
    /// nothing if it is not.
    async fn write_released(&self) -> Result<bool, KubeError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let Some(mut lease) = self.api.get_opt(&self.name).await? else {
                return Ok(false);
            };
            let spec = lease.spec.take().unwrap_or_default();
            if spec.holder_identity.as_deref() != Some(self.identity.as_str()) {
                return Ok(false);
            }
            lease.spec = Some(released(&spec));
            match self.api.replace(&self.name, &params(), &lease).await {
                Ok(_) => return Ok(true),
                Err(KubeError::Api(status)) if status.code == 409 && tries < RELEASE_TRIES => {}
                Err(error) => return Err(error),
            }
        }
    }
}

fn params() -> PostParams {
    PostParams { field_manager: Some(FIELD_MANAGER.to_owned()), ..PostParams::default() }
}
