use super::*;

#[test]
fn names_that_engines_take_are_read_and_written_back() {
    for text in
        ["obspipe/operator:0.1.0", "a:1", "host.example:5000/team/a_b__c-d.e:v1_2.3-rc", "x/y:_"]
    {
        assert_eq!(text.parse::<Name>().unwrap().to_string(), text);
    }
    let name: Name = "host:5000/a:1".parse().unwrap();
    assert_eq!((name.repository(), name.tag()), ("host:5000/a", "1"));
}

#[test]
fn names_that_engines_refuse_are_refused() {
    let long = format!("a:{}", "x".repeat(129));
    for text in [
        "obspipe/operator",
        "host:5000/a",
        "a:",
        ":1",
        "A:1",
        "a//b:1",
        "a/:1",
        "-a:1",
        "a-:1",
        "a b:1",
        "a:-1",
        "a:1+2",
        "a:b:c",
        "host:port/a:1",
        &long,
    ] {
        assert!(text.parse::<Name>().is_err(), "{text}");
    }
}

#[test]
fn a_hosts_port_is_no_tag() {
    let refused = "host:5000/a".parse::<Name>().unwrap_err();
    assert!(refused.to_string().contains("it has no tag"), "{refused}");
}
