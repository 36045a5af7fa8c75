//! `helm test` as users run it after an installation: the doctor, in a pod with the operator's rights.

use obspipe_e2e::Stack;

pub(crate) async fn run(stack: &Stack) {
    let arguments =
        ["test", "obspipe", "--namespace", obspipe_e2e::SYSTEM, "--logs", "--hide-notes"];
    let told = stack.chart().helm(&arguments).await.expect("the doctor finds nothing wrong");
    for check in
        ["API server", "definition", "rights in all namespaces", "lease", "kind PodMonitor"]
    {
        assert!(
            told.lines().any(|line| line.starts_with(&format!("✓ {check}"))),
            "{check}: {told}"
        );
    }
    assert!(!told.contains('✗'), "{told}");
}
