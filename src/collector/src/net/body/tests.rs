use http_body_util::BodyExt as _;

use super::*;

fn collect(body: Pieces) -> http_body_util::Collected<Bytes> {
    futures::FutureExt::now_or_never(body.collect()).unwrap().unwrap()
}

#[test]
fn pieces_come_one_by_one_and_none_is_empty() {
    let mut body = Pieces::new(["one", "", "two"].map(Bytes::from));
    assert_eq!(body.size_hint().exact(), Some(6));
    let mut next = || {
        let frame = futures::FutureExt::now_or_never(body.frame()).unwrap();
        frame.map(|frame| frame.unwrap().into_data().unwrap())
    };
    assert_eq!((next(), next(), next()), (Some("one".into()), Some("two".into()), None));
    assert!(body.is_end_stream());
}

#[test]
fn trailers_are_behind() {
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
    let body = Pieces::from(String::from("text")).trailers(trailers.clone());
    let collected = collect(body);
    assert_eq!(collected.trailers(), Some(&trailers));
    assert_eq!(collected.to_bytes(), "text");
    let only = Pieces::default().trailers(trailers);
    assert!(!only.is_end_stream(), "there is something to come");
    assert!(Pieces::default().is_end_stream());
    assert!(Pieces::from(Bytes::new()).is_end_stream());
}
