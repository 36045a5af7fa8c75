//! Starting, readiness and ending of a program, with the shell as the program.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use obspipe_backends::{Error, Launch, Process, Ready, Result, eventually};

fn shell(script: &str, ready: Ready) -> Result<Launch> {
    Ok(Launch {
        program: "/bin/sh".into(),
        arguments: vec!["-c".to_owned(), script.to_owned()],
        ready,
    })
}

#[tokio::test]
async fn a_program_is_used_when_its_log_says_so_and_ends_with_its_value() {
    let (mut process, []) = Process::start("shell", |[], directory| {
        std::fs::write(directory.join("input"), "here").unwrap();
        shell(
            "echo $$ > pid; sleep 0.2; cat input; echo ' I am'; exec sleep 100",
            Ready::Says("I am"),
        )
    })
    .await
    .unwrap();
    process.check().unwrap();
    assert_eq!(process.log(), "here I am\n");
    let directory = process.directory().to_owned();
    let pid = std::fs::read_to_string(directory.join("pid")).unwrap();
    let running = format!("/proc/{}", pid.trim());
    assert!(std::fs::exists(&running).unwrap());
    drop(process);
    assert!(!directory.exists());
    eventually("the end of the program", Duration::from_secs(5), async || {
        if std::fs::exists(&running).unwrap() { Err(running.clone()) } else { Ok(()) }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_program_that_ends_is_an_error_with_the_end_of_its_log() {
    let error = Process::start("shell", |[], _| {
        shell("echo no such flag >&2; exit 3", Ready::Says("never"))
    })
    .await
    .unwrap_err();
    let Error::Program(local_cluster::Error::Component { problem, log, tail, .. }) = &error else {
        panic!("{error}");
    };
    assert_eq!(problem, "ended with code 3");
    assert_eq!(tail, "no such flag");
    assert_eq!(std::fs::read_to_string(log).unwrap(), "no such flag\n");
    assert!(error.to_string().contains("no such flag"));
}

#[tokio::test]
async fn a_taken_port_is_tried_again_with_others() {
    let tries = std::cell::RefCell::new(Vec::new());
    let (_process, [address]) = Process::start("shell", |[address]: &[SocketAddr; 1], _| {
        tries.borrow_mut().push(*address);
        match tries.borrow().len() {
            1 => shell("echo bind: address already in use; exit 1", Ready::Says("up")),
            _ => shell("echo up; exec sleep 100", Ready::Says("up")),
        }
    })
    .await
    .unwrap();
    assert_eq!(tries.borrow().len(), 2);
    assert_eq!(tries.borrow()[1], address);
}

#[tokio::test]
async fn ports_are_free_and_different() {
    let (_process, addresses) = Process::start("shell", |_: &[SocketAddr; 4], _| {
        shell("echo up; exec sleep 100", Ready::Says("up"))
    })
    .await
    .unwrap();
    let mut ports = addresses.map(|address| address.port());
    ports.sort_unstable();
    assert!(ports.windows(2).all(|pair| pair[0] != pair[1]), "{ports:?}");
    assert!(addresses.iter().all(|address| TcpStream::connect(address).is_err()));
}
