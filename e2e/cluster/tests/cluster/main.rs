//! The crate against the real thing: every test runs its own control plane.
use local_cluster::LocalCluster;
#[tokio::test]
async fn starts() {
    let t = std::time::Instant::now();
    let c = LocalCluster::builder()
        .progress(|s: &str| eprintln!("{s}"))
        .start()
        .await
        .unwrap();
    eprintln!("{:?} {:?}", t.elapsed(), c);
    let out = c.kubectl().args(["get", "ns"]).output().unwrap();
    eprintln!("{}", String::from_utf8_lossy(&out.stdout));
    c.stop().await;
}
