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

#[tokio::test]
async fn pieces_are_made_as_they_are_read() {
    let count = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = count.clone();
    let made = move || count.load(std::sync::atomic::Ordering::Relaxed);
    let pieces = futures::stream::unfold(0, move |number| {
        counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // Every other one is empty.
        let piece = Bytes::from("x".repeat(number % 2));
        async move {
            tokio::task::yield_now().await;
            (number < 6).then_some((piece, number + 1))
        }
    });
    let mut body = Pieces::made(pieces);
    assert_eq!((made(), body.is_end_stream(), body.size_hint().exact()), (0, false, None));
    for read in 1..=3 {
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "x");
        assert_eq!(made(), 2 * read);
    }
    assert!(body.frame().await.is_none());
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
