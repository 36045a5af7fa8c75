//! The collector as it ships: one file of less than 15 MB that needs no other. It runs in a root
//! directory that has nothing but its configuration, an authority's certificate, and the
//! /etc/resolv.conf that the kubelet gives every container.

mod dns;
mod tls;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use object::{Object as _, ObjectSymbol as _};
use obspipe_backends::{Answer, Capture, Launch, Process, Ready};
use rustix::process::geteuid;

use crate::client::Client;
use crate::collector::{PATIENCE, without_crate};
use crate::telemetry::{names, spans};
use dns::Dns;
use tls::Authority;

/// Of the file. An image of it is pulled by every node that runs a collector.
const MAX_BYTES: u64 = 15_000_000;
/// The user of the image, who owns nothing.
const USER: &str = "--userspec=65532:65532";
/// Where the cluster's names are: `backend` is below it, as in a pod of the namespace `obs`.
const DOMAIN: &str = "obs.svc.cluster.local";

/// The directory of what `make static` makes.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        // <target>/<profile>/deps/collector-…
        let exe = std::env::current_exe().expect("a path");
        let target = exe.ancestors().nth(3).expect("a target directory");
        let status = without_crate(&mut Command::new("make"))
            .arg("static-obspipe-collector")
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
            .env("CARGO", env!("CARGO"))
            .env("CARGO_TARGET_DIR", target)
            .status();
        assert!(status.expect("make runs").success(), "make static-obspipe-collector");
        target.join("static")
    })
}

#[test]
fn it_is_small_and_needs_no_other_file() {
    let bytes = std::fs::read(built().join("obspipe-collector")).expect("the file");
    assert!((bytes.len() as u64) < MAX_BYTES, "{} bytes", bytes.len());
    let file = object::File::parse(&bytes[..]).expect("ELF");
    assert!(file.section_by_name(".interp").is_none(), "it needs a loader");
    let needed = file.imports().expect("imports");
    assert!(needed.is_empty(), "{needed:?}");
}

/// The C library's way to names needs files and libraries that an empty root does not have.
#[test]
fn no_name_is_asked_of_the_c_library() {
    let bytes = std::fs::read(built().join("obspipe-collector.symbols")).expect("the file");
    let file = object::File::parse(&bytes[..]).expect("ELF");
    let all: Vec<&str> = file.symbols().filter_map(|symbol| symbol.name().ok()).collect();
    assert!(all.contains(&"main") && all.len() > 10_000, "{} symbols", all.len());
    let asking = ["getaddrinfo", "gethostby", "getnameinfo", "res_query", "res_search"];
    let found: Vec<_> =
        all.iter().filter(|name| asking.iter().any(|asking| name.contains(asking))).collect();
    assert!(found.is_empty(), "{found:?}");
}

/// Starts it in the root directory `root` below its own, made by `fill`; `{grpc}` in its
/// configuration becomes a free address, which is returned.
async fn start(configuration: &str, fill: impl Fn(&Path)) -> (Process, std::net::SocketAddr) {
    let started = Process::start("collector", |[grpc, admin], directory| {
        let root = directory.join("root");
        std::fs::create_dir_all(root.join("etc")).expect("writable");
        fill(&root);
        let text = configuration.replace("{grpc}", &grpc.to_string());
        std::fs::write(root.join("config.yaml"), text).expect("writable");
        std::fs::copy(built().join("obspipe-collector"), root.join("obspipe-collector"))
            .expect("writable");
        // Who is not root becomes root of a namespace of users, where there may be one.
        let (program, first) = match geteuid().is_root() {
            true => ("chroot", vec![USER]),
            false => ("unshare", vec!["--map-root-user", "chroot"]),
        };
        let mut arguments: Vec<String> = first.into_iter().map(str::to_owned).collect();
        arguments.extend([
            root.display().to_string(),
            "/obspipe-collector".to_owned(),
            "--config=/config.yaml".to_owned(),
            "--set=service.telemetry.metrics.level=none".to_owned(),
            format!("--admin-listen={admin}"),
        ]);
        let ready = Ready::Answers(*admin, "/readyz");
        Ok(Launch { program: program.into(), arguments, ready })
    });
    let (process, [grpc, _]) = started.await.unwrap_or_else(|error| {
        panic!(
            "the collector runs in a root of its own, which only root or, where the kernel \
                allows them, a user namespace may give it: {error}"
        )
    });
    (process, grpc)
}

#[tokio::test(flavor = "multi_thread")]
async fn it_runs_from_an_empty_root_with_names_and_an_authority() {
    let grpc = Capture::grpc(|_| Answer::grpc_ok()).await.expect("a backend");
    let http = Capture::http(|_| Answer::http_ok()).await.expect("a backend");
    let authority = Authority::new();
    let grpc_port = authority.lead("backend", "h2", grpc.address()).await;
    let long = format!("long.{DOMAIN}");
    let http_port = authority.lead(&long, "http/1.1", http.address()).await;
    // What is long comes by TCP only.
    let dns = Dns::start(&[&format!("backend.{DOMAIN}.")], &[&format!("{long}.")]).await;
    let configuration = format!(
        "
receivers: {{otlp: {{protocols: {{grpc: {{endpoint: '{{grpc}}'}}}}}}}}
exporters:
  otlp: {{endpoint: 'backend:{grpc_port}', tls: {{ca_file: /ca.pem}}}}
  otlp_http: {{endpoint: 'https://{long}:{http_port}', compression: none, tls: {{ca_file: /ca.pem}}}}
service: {{pipelines: {{traces: {{receivers: [otlp], exporters: [otlp, otlp_http]}}}}}}
"
    );
    let resolv = format!(
        "search {DOMAIN} svc.cluster.local cluster.local\nnameserver {}\noptions ndots:5\n",
        dns.address()
    );
    let (collector, address) = start(&configuration, |root| {
        std::fs::write(root.join("ca.pem"), authority.pem()).expect("writable");
        std::fs::write(root.join("etc/resolv.conf"), &resolv).expect("writable");
    })
    .await;
    let mut client = Client::connect(address).await;
    client.deliver(&spans("shop", 0..3, 10)).await;
    for backend in [&grpc, &http] {
        let received = backend.wait_for(1, PATIENCE).await;
        let received = received.unwrap_or_else(|error| {
            panic!("{error}; asked for: {:?}; {}", dns.asked(), collector.log())
        });
        assert_eq!(names(&received[0].body), ["shop-0", "shop-1", "shop-2"]);
    }
    assert!(dns.asked().contains(&format!("backend.{DOMAIN}.")), "{:?}", dns.asked());
}
