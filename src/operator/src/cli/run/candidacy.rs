//! This process in the election: waits for leadership, notices its loss, gives it back.

use kube::Client;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::{RunArguments, RunError};
use crate::cluster::lease::{Election, ElectionEnd, Leadership};

/// This process as a candidate, or as the only one there is.
pub(super) struct Candidacy {
    pub(super) leadership: Leadership,
    pub(super) leads: watch::Receiver<bool>,
    election: Option<JoinHandle<ElectionEnd>>,
    /// Ends the election. Without one it keeps `leads` open.
    end: watch::Sender<bool>,
}

impl Candidacy {
    pub(super) fn start(arguments: &RunArguments, client: &Client, identity: String) -> Self {
        if !arguments.scope.leader_elect {
            let (end, leads) = watch::channel(true);
            return Self { leadership: Leadership::always(), leads, election: None, end };
        }
        let (election, leadership, leads) = Election::new(
            client.clone(),
            &arguments.scope.lease_namespace,
            &arguments.scope.lease_name,
            identity,
        );
        let (end, ended) = watch::channel(false);
        let election = Some(tokio::spawn(election.run(ended)));
        Self { leadership, leads, election, end }
    }

    /// Waits until this process leads.
    pub(super) async fn leading(&mut self) -> Result<bool, RunError> {
        self.leads
            .wait_for(|leads| *leads)
            .await
            .map_or(Err(RunError::LeadershipLost), |_| Ok(true))
    }

    /// Waits until leadership is lost; for ever without an election.
    pub(super) async fn lost(&mut self) -> RunError {
        match &mut self.election {
            Some(election) => {
                // However it ended, nobody renews the lease any more.
                let _ = election.await;
                self.election = None;
                RunError::LeadershipLost
            }
            None => std::future::pending().await,
        }
    }

    /// The result of `work`, unless leadership is lost before.
    pub(super) async fn while_leading(
        &mut self,
        work: impl Future<Output = Result<(), RunError>>,
    ) -> Result<(), RunError> {
        tokio::select! {
            done = work => done,
            lost = self.lost() => Err(lost),
        }
    }

    /// Releases the lease.
    pub(super) async fn end(self) -> Result<(), RunError> {
        let Some(election) = self.election else {
            return Ok(());
        };
        self.end.send_replace(true);
        match election.await {
            Ok(ElectionEnd::Stopped) => Ok(()),
            Ok(ElectionEnd::Lost) | Err(_) => Err(RunError::LeadershipLost),
        }
    }
}
