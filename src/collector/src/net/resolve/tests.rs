use super::*;

async fn addresses(name: &str) -> Vec<String> {
    let found = Resolver::system().unwrap().addresses(name).await.unwrap();
    found.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn addresses_are_themselves_and_localhost_is_never_asked_for() {
    assert_eq!(addresses("192.0.2.7").await, ["192.0.2.7"]);
    assert_eq!(addresses("2001:db8::1").await, ["2001:db8::1"]);
    assert_eq!(addresses("localhost").await, ["127.0.0.1", "::1"]);
    assert_eq!(addresses("LOCALHOST").await, ["127.0.0.1", "::1"]);
}

/// RFC 6761, 6.4: no name below `invalid` is known, wherever this runs.
#[tokio::test]
async fn a_name_that_leads_nowhere_is_told() {
    let error = Resolver::system().unwrap().addresses("nowhere.invalid").await.unwrap_err();
    let said = error.to_string();
    assert!(said.starts_with("cannot resolve nowhere.invalid: "), "{said}");
}
