//! Which spans share a request, and where one is cut.

use opentelemetry_proto::tonic::common::v1::InstrumentationScope;
use proptest::prelude::*;

use super::super::halve;
use super::*;

fn named(name: &str) -> Span {
    Span { name: name.into(), ..bare() }
}

fn names(translated: &Translated) -> Vec<(String, String)> {
    let one = |batch: model::Batch| {
        let names: Vec<_> =
            batch.spans.iter().map(|span| utf8(&span.operation_name).to_owned()).collect();
        let process = batch.process.expect("a process");
        (utf8(&process.service_name).to_owned(), names.join(" "))
    };
    batches(translated).into_iter().map(one).collect()
}

fn service(name: &str, spans: &[&str]) -> ResourceSpans {
    of(vec![text("service.name", name)], spans.iter().map(|name| named(name)).collect())
}

fn strings(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn consecutive_spans_of_equal_resources_share_a_batch() {
    let one = encode(vec![service("a", &["1", "2"]), service("a", &["3"]), service("b", &["4"])]);
    let two = encode(vec![service("b", &["5"]), service("a", &["6"])]);
    let translated = translate([one.as_slice(), &two], usize::MAX);
    assert_eq!(names(&translated), strings(&[("a", "1 2 3"), ("b", "4 5"), ("a", "6")]));
}

#[test]
fn a_resource_without_spans_makes_no_batch() {
    let scopeless = ResourceSpans { scope_spans: vec![], ..service("b", &[]) };
    let translated = translated(vec![service("b", &[]), service("a", &["1"]), scopeless]);
    assert_eq!(names(&translated), strings(&[("a", "1")]));
    assert_eq!(translate([], 0), Translated::default());
    assert_eq!(translate([&[][..]], 0), Translated::default());
}

#[test]
fn a_batch_takes_no_more_bytes_than_allowed() {
    let bytes = encode(vec![service("a", &["1", "2", "3", "4", "5"]), service("b", &["6"])]);
    let sizes = |max| {
        let translated = translate([bytes.as_slice()], max);
        translated.requests.iter().map(|request| request.spans).collect::<Vec<_>>()
    };
    let whole = translate([bytes.as_slice()], usize::MAX);
    let exact = whole.requests[0].bytes.len();
    assert_eq!(sizes(exact), [5, 1], "just fits");
    assert_eq!(sizes(exact - 1), [4, 1, 1], "just does not");
    assert_eq!(sizes(0), [1; 6], "a single span is never too long");
    let split = translate([bytes.as_slice()], exact / 2);
    let order = names(&split).iter().map(|(_, names)| names.clone()).collect::<Vec<_>>().join(" ");
    assert_eq!(order, "1 2 3 4 5 6");
}

#[test]
fn a_huge_resource_is_not_repeated_for_each_small_span() {
    let huge = "x".repeat(100_000);
    let bytes = encode(vec![service(&huge, &["span"; 10_000])]);
    let translated = translate([bytes.as_slice()], 50_000);
    let sent: usize = translated.requests.iter().map(|request| request.bytes.len()).sum();
    assert!(sent < 10 * bytes.len(), "{sent} bytes of {}", bytes.len());
    assert!(translated.requests.len() > 10);
    assert_eq!(translated.requests.iter().map(|request| request.spans).sum::<usize>(), 10_000);
}

#[test]
fn a_huge_scope_is_not_repeated_in_each_small_span() {
    let scope = |name: &str, spans| ScopeSpans {
        scope: Some(InstrumentationScope { name: name.into(), ..InstrumentationScope::default() }),
        spans: vec![bare(); spans],
        ..ScopeSpans::default()
    };
    let huge = "x".repeat(100_000);
    let scope_spans = vec![scope(&huge, 10_000), scope(&huge, 4), scope(&huge[..100], 10_000)];
    let spans = single(ResourceSpans { scope_spans, ..of(vec![], vec![]) }).spans;
    let tags: Vec<_> = spans.iter().map(|span| span.tags.len()).collect();
    assert_eq!(tags, [vec![0; 10_000], vec![1; 10_004]].concat());
}

#[test]
fn a_request_is_halved_until_one_span_is_left() {
    let bytes = encode(vec![service("a", &["1", "2", "3", "4", "5"])]);
    let whole = translate([bytes.as_slice()], usize::MAX).requests.remove(0);
    let (one, other) = halve(&whole.bytes, &[]).expect("halves");
    let halves = Translated { requests: vec![one, other], ..Translated::default() };
    assert_eq!(names(&halves), strings(&[("a", "1 2"), ("a", "3 4 5")]));
    let single = translate([encode(vec![service("a", &["1"])]).as_slice()], 0).requests.remove(0);
    assert_eq!(halve(&single.bytes, &[]), None);
}

#[test]
fn a_request_is_halved_between_clients_first() {
    let clients: Vec<Vec<u8>> = [&["1", "2", "3"][..], &["4", "5"], &["6"], &[]]
        .iter()
        .map(|names| encode(vec![service("a", names)]))
        .collect();
    let clients = || clients.iter().map(Vec::as_slice);
    let whole = translate(clients(), usize::MAX).requests.remove(0);
    assert_eq!((whole.spans, &whole.joints[..]), (6, &[3, 5, 6][..2]));
    let halves = |request: &Request| {
        let (one, other) = halve(&request.bytes, &request.joints)?;
        assert_eq!(each(std::slice::from_ref(request)), each(&[one.clone(), other.clone()]));
        Some([(one.spans, one.joints), (other.spans, other.joints)])
    };
    assert_eq!(halves(&whole), Some([(5, vec![3]), (1, vec![])]));
    let (one, _) = halve(&whole.bytes, &whole.joints).expect("halves");
    assert_eq!(halves(&one), Some([(3, vec![]), (2, vec![])]));
    // Cut for its size, with a joint at the cut, before it and after it.
    for max in 0..whole.bytes.len() {
        let mut passed = 0;
        for request in translate(clients(), max).requests {
            let inside = |joint: &usize| (1..request.spans).contains(&joint.wrapping_sub(passed));
            let joints: Vec<usize> = [3, 5].into_iter().filter(inside).collect();
            let joints: Vec<usize> = joints.into_iter().map(|joint| joint - passed).collect();
            assert_eq!(request.joints, joints, "{max} {passed}");
            passed += request.spans;
        }
        assert_eq!(passed, 6);
    }
}

#[test]
fn what_is_no_request_has_no_halves() {
    for bytes in
        [&[][..], &[0x0a], &[0x08, 1], &[0x0a, 0], &[0x0a, 4, 0x0a, 0, 0x0a, 0], b"\xff\xff"]
    {
        assert_eq!(halve(bytes, &[]), None, "{bytes:x?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn cutting_and_halving_lose_nothing(
        request in super::generate::resource_spans(),
        max in prop_oneof![0usize..2000, Just(usize::MAX)],
    ) {
        let bytes = encode(request);
        let whole = translate([bytes.as_slice()], usize::MAX);
        let cut = translate([bytes.as_slice()], max);
        prop_assert_eq!(whole.untranslatable, cut.untranslatable);
        prop_assert_eq!(whole.negative_durations, cut.negative_durations);
        for request in &cut.requests {
            let process = batch(request).process.expect("a process").encoded_len();
            let fits = request.bytes.len() <= max || process > max / 2;
            prop_assert!(request.spans == 1 || fits);
        }
        prop_assert_eq!(each(&whole.requests), each(&cut.requests));
        for request in &whole.requests {
            match halve(&request.bytes, &request.joints) {
                Some((one, other)) => {
                    prop_assert!(one.spans.abs_diff(other.spans) <= 1);
                    prop_assert_eq!(each(std::slice::from_ref(request)), each(&[one, other]));
                }
                None => prop_assert_eq!(request.spans, 1),
            }
        }
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), max: usize) {
        let _ = translate([bytes.as_slice()], max);
        if let Some((one, other)) = halve(&bytes, &[]) {
            prop_assert!(one.spans > 0 && other.spans > 0);
        }
    }

    #[test]
    fn no_damage_makes_it_panic(
        request in super::generate::resource_spans(),
        damage in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = encode(request);
        for (at, byte) in damage.into_iter().filter(|_| !bytes.is_empty()).collect::<Vec<_>>() {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        for request in translate([bytes.as_slice()], 500).requests {
            batch(&request);
            prop_assert_eq!(halve(&request.bytes, &request.joints).is_some(), request.spans > 1);
        }
    }
}

/// Each span with its process.
fn each(requests: &[Request]) -> Vec<(model::Span, Option<model::Process>)> {
    let spans = |batch: model::Batch| {
        batch.spans.into_iter().map(move |span| (span, batch.process.clone())).collect::<Vec<_>>()
    };
    requests.iter().map(batch).flat_map(spans).collect()
}
