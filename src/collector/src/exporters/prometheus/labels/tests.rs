use obspipe_model::components::prometheus::{Prometheus, TranslationStrategy};
use opentelemetry_proto::tonic::resource::v1::Resource as ProtoResource;
use prost::Message;

use super::super::make::{attributes, settings};
use super::*;
use crate::signal::otlp::Resource;
use crate::signal::view::View;

fn label(name: &str, key: &str, value: &str) -> Label {
    Label { name: name.to_owned(), key: key.to_owned(), value: value.to_owned() }
}

fn of(pairs: &[(&str, &str)]) -> ResourceLabels {
    let resource = ProtoResource { attributes: attributes(pairs), ..Default::default() };
    let encoded = resource.encode_to_vec();
    ResourceLabels::of(Resource::parse(&encoded).attributes.iter())
}

#[test]
fn equal_names_become_one_label() {
    let labels = [label("a_b", "a_b", "2"), label("c", "c", "x\n"), label("a_b", "a.b", "1")];
    let rendered = render(&labels, &BTreeMap::from([("job", "j")]), None, false);
    assert_eq!(rendered.plain, r#"a_b="1;2",c="x\n",job="j""#);
    assert_eq!(rendered.escaped, None);
}

#[test]
fn labels_of_the_page_itself_are_not_taken() {
    let labels = [label("le", "le", "1"), label("job", "job", "mine"), label("x", "x", "")];
    let fixed = BTreeMap::from([("job", "j"), ("exported_job", "const")]);
    let rendered = render(&labels, &fixed, Some("le"), false);
    let expected =
        r#"exported_exported_job="mine",exported_job="const",exported_le="1",job="j",x="""#;
    assert_eq!(rendered.plain, expected);
    assert_eq!(render(&labels[..1], &BTreeMap::new(), None, false).plain, r#"le="1""#);
}

#[test]
fn any_characters_are_quoted_and_escaped_for_older_servers() {
    let labels = [label("a.b", "a.b", "1"), label("a_b", "a_b", "2"), label("é\"", "é\"", "3")];
    let rendered = render(&labels, &BTreeMap::new(), None, true);
    assert_eq!(rendered.plain, r#""a.b"="1",a_b="2","é\""="3""#);
    assert_eq!(rendered.escaped.as_deref(), Some(r#"__="3",a_b="1;2""#));
    assert_eq!(render(&labels[1..2], &BTreeMap::new(), None, true).escaped, None);
    // A colon is for names of metrics only.
    let colon = render(&[label("h:i", "h:i", "1")], &BTreeMap::new(), None, true);
    assert_eq!((&*colon.plain, colon.escaped.as_deref()), (r#""h:i"="1""#, Some(r#"h_i="1""#)));
}

#[test]
fn job_and_instance_are_of_the_service() {
    let all = of(&[
        ("service.name", "a"),
        ("service.namespace", "n"),
        ("service.instance.id", "i"),
        ("host.name", "h"),
    ]);
    assert_eq!((all.job.as_deref(), all.instance.as_deref()), (Some("n/a"), Some("i")));
    assert_eq!(of(&[("service.namespace", "n")]).job, None);
    let namer = Namer::new(&settings());
    let target = all.target_info(&namer).map(|rendered| rendered.plain);
    assert_eq!(target.as_deref(), Some(r#"host_name="h",instance="i",job="n/a""#));
}

#[test]
fn only_a_resource_with_job_and_instance_has_a_target() {
    let namer = Namer::new(&settings());
    for pairs in [
        &[("service.name", "a"), ("service.instance.id", "")][..],
        &[("service.name", "a"), ("host.name", "h")],
        &[("service.instance.id", "i")],
    ] {
        assert_eq!(of(pairs).target_info(&namer), None);
    }
    let service = [("service.name", "a"), ("service.instance.id", "i")];
    let colliding =
        [&service[..], &[("k.x", "1"), ("k_x", "2"), ("__", "3"), ("job", "4")]].concat();
    let target = of(&colliding).target_info(&namer).unwrap();
    assert_eq!(target.plain, r#"exported_job="4",instance="i",job="a",k_x="1;2""#);
    let utf8 = Namer::new(&Prometheus {
        translation_strategy: Some(TranslationStrategy::NoTranslation),
        ..settings()
    });
    let target = of(&colliding).target_info(&utf8).unwrap();
    assert_eq!(target.plain, r#"exported_job="4",instance="i",job="a","k.x"="1",k_x="2""#);
    assert_eq!(
        target.escaped.as_deref(),
        Some(r#"exported_job="4",instance="i",job="a",k_x="1;2""#)
    );
}
