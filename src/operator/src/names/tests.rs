use super::*;

fn otel() -> Identity {
    Identity { namespace: "observability".into(), name: "otel".into(), uid: "u".into() }
}

#[test]
fn the_documents_names() {
    assert_eq!(otel().collector(), "otel-collector");
    assert_eq!(otel().config(), "otel-collector-config");
    assert_eq!(otel().rules(0), "otel-rules");
    assert_eq!(otel().rules(1), "otel-rules-1");
}

#[test]
fn a_statefulset_of_the_longest_name_stays_below_its_limit() {
    let longest = Identity { name: "a".repeat(crate::api::schema::MAX_NAME), ..otel() };
    assert!(longest.collector().len() <= 52, "{}", longest.collector().len());
}

#[test]
fn port_names_fit_and_differ() {
    assert_eq!(port_name("otlp-grpc"), "otlp-grpc");
    for wanted in ["otlp-a-very-long-one-grpc", "otlp/Ümläut-grpc", "4317", "--", "otlp--x", "A"]
    {
        let name = port_name(wanted);
        assert!(name.len() <= 15 && !name.is_empty(), "{name}");
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'));
        assert!(name.bytes().any(|b| b.is_ascii_lowercase()), "{name}");
        assert!(!name.contains("--") && !name.starts_with('-') && !name.ends_with('-'), "{name}");
    }
    assert_ne!(port_name("otlp-a-very-long-one-grpc"), port_name("otlp-a-very-long-two-grpc"));
    assert_ne!(port_name("otlp/a"), port_name("otlp-a"));
}
