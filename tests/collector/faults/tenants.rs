//! Loki's tenants in one batch: what becomes of one's pushes costs no other tenant anything.

use obspipe_backends::{Answer, eventually};
use serde_json::{Value, json};

use super::backend::Kind;
use super::run::{Run, quick, same};
use crate::collector::PATIENCE;

/// Records of each tenant, in more than one push.
const RECORDS: usize = 100;
const TENANTS: [&str; 3] = ["first", "bad", "last"];

/// A tenant for each service, and all services in one batch.
async fn start() -> Run {
    let hint = json!({"key": "loki.tenant", "value": "service.name", "action": "insert"});
    let batch = json!({"send_batch_size": TENANTS.len() * RECORDS, "timeout": "3600s"});
    let processors = json!({"batch": batch, "resource": {"attributes": [hint]}});
    let settings = json!({"retry_on_failure": quick(), "max_request_bytes": 8192});
    Run::start_with(Kind::Loki, settings, &processors, &[]).await
}

/// One tenant's pushes get this answer.
fn judge(run: &Run, answer: &Answer) {
    let answer = answer.clone();
    run.capture.judge(move |received| {
        let names = Kind::Loki.names(&received.body);
        let bad = names.iter().filter(|name| name.starts_with("bad-")).count();
        assert!(bad == 0 || bad == names.len(), "a push is one tenant's: {names:?}");
        (bad > 0).then(|| answer.clone())
    });
}

/// Names of what came, whatever was answered.
fn came(run: &Run, tenant: &str) -> Vec<String> {
    let received = run.capture.received();
    let names = received.iter().flat_map(|received| Kind::Loki.names(&received.body));
    names.filter(|name| name.starts_with(tenant)).collect()
}

fn names(tenant: &str) -> Vec<String> {
    (0..RECORDS).map(|number| format!("{tenant}-{number}")).collect()
}

#[tokio::test]
async fn others_pass_a_tenant_that_fails() {
    let mut run = start().await;
    judge(&run, &Answer::status(503).body("this tenant is not served now"));
    for tenant in TENANTS {
        run.send(tenant, 0..RECORDS).await;
    }
    let others = eventually("the others' records", PATIENCE, async || {
        let left = [came(&run, "first"), came(&run, "last")];
        if left.iter().all(|names| names.len() == RECORDS) {
            Ok(())
        } else {
            Err(format!("{left:?}"))
        }
    });
    others.await.expect("while one tenant fails");
    let pushes = run.capture.received().len();
    let tried = eventually("further tries", PATIENCE, async || {
        let now = run.capture.received().len();
        if now > pushes + 5 { Ok(()) } else { Err(format!("{now} requests")) }
    });
    tried.await.expect("while it fails");
    run.capture.judge(|_| None);
    let phase = run.phase("one fails for a while").await;
    for tenant in ["first", "last"] {
        let of = |names: &[String]| -> Vec<String> {
            names.iter().filter(|name| name.starts_with(tenant)).cloned().collect()
        };
        same("sent once", &of(&phase.taken), &names(tenant));
    }
    phase.complete();
}

#[tokio::test]
async fn a_tenant_that_is_refused_loses_its_own_alone() {
    let answers: [(u16, Value); 3] = [
        (401, json!({"rejected_by_backend": RECORDS})),
        (413, json!({"rejected_by_backend": RECORDS})),
        (400, json!({"partial_success": RECORDS})),
    ];
    for (status, reasons) in answers {
        let mut run = start().await;
        judge(&run, &Answer::status(status).body("no"));
        for tenant in TENANTS {
            run.send(tenant, 0..RECORDS).await;
        }
        let phase = run.phase(&format!("{status}")).await;
        same(&format!("{status}"), &phase.taken, &[names("first"), names("last")].concat());
        assert_eq!(phase.reasons, reasons, "{status}");
    }
}
