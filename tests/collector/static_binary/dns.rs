//! A DNS server on port 53 of a loopback address of its own: it knows a few names, all of which
//! lead to 127.0.0.1, and keeps what it was asked.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use hickory_proto::op::{Message, ResponseCode};
use hickory_proto::rr::rdata::A;
use hickory_proto::rr::{RData, Record, RecordType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

pub(super) struct Dns {
    address: Ipv4Addr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    names: Vec<String>,
    /// Names whose answers are too long for UDP.
    long: Vec<String>,
    asked: Mutex<Vec<String>>,
}

impl Dns {
    /// Serves until the runtime ends. Names end with a dot.
    pub(super) async fn start(names: &[&str], long: &[&str]) -> Self {
        let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let shared = Shared { names: owned(names), long: owned(long), ..Shared::default() };
        let shared = Arc::new(shared);
        // One that no other process of these tests uses.
        let [.., high, low] = std::process::id().to_be_bytes();
        let address = Ipv4Addr::new(127, 53, high, low.clamp(1, 254));
        let why =
            "port 53: only root may have it, or everybody by net.ipv4.ip_unprivileged_port_start";
        let udp = UdpSocket::bind((address, 53)).await.expect(why);
        let tcp = TcpListener::bind((address, 53)).await.expect(why);
        tokio::spawn(serve_udp(udp, shared.clone()));
        tokio::spawn(serve_tcp(tcp, shared.clone()));
        Self { address, shared }
    }

    pub(super) fn address(&self) -> Ipv4Addr {
        self.address
    }

    /// The names that it was asked for.
    pub(super) fn asked(&self) -> Vec<String> {
        self.shared.asked.lock().expect("unpoisoned").clone()
    }
}

impl Shared {
    fn answer(&self, question: &[u8], udp: bool) -> Vec<u8> {
        let mut message = Message::from_vec(question).expect("a question").into_response();
        let query = message.queries[0].clone();
        let name = query.name().to_ascii().to_lowercase();
        self.asked.lock().expect("unpoisoned").push(name.clone());
        let long = self.long.contains(&name);
        if long && udp {
            message.metadata.truncation = true;
        } else if !long && !self.names.contains(&name) {
            message.metadata.response_code = ResponseCode::NXDomain;
        } else if query.query_type() == RecordType::A {
            let address = RData::A(A(Ipv4Addr::LOCALHOST));
            message.add_answer(Record::from_rdata(query.name().clone(), 60, address));
        }
        message.to_vec().expect("an answer")
    }
}

async fn serve_udp(socket: UdpSocket, shared: Arc<Shared>) {
    let mut buffer = [0; 4096];
    while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
        let _ = socket.send_to(&shared.answer(&buffer[..length], true), from).await;
    }
}

async fn serve_tcp(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(serve_connection(stream, shared.clone()));
    }
}

/// RFC 1035, 4.2.2: two bytes of length before each message.
async fn serve_connection(mut stream: TcpStream, shared: Arc<Shared>) {
    while let Ok(length) = stream.read_u16().await {
        let mut question = vec![0; length.into()];
        if stream.read_exact(&mut question).await.is_err() {
            return;
        }
        let answer = shared.answer(&question, false);
        let length = u16::try_from(answer.len()).expect("a short answer");
        if stream.write_all(&[&length.to_be_bytes(), &answer[..]].concat()).await.is_err() {
            return;
        }
    }
}
