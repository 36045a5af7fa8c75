use super::*;

const TEXT: &str = "\
# Comment
kind: Deployment
metadata: {name: a}
spec: {template: {spec: {containers: [{name: c, env: [{name: X, value: '1'}, {name: Y, value: '2'}]}]}}}
---
kind: RoleBinding
metadata: {name: b}
subjects: [{kind: ServiceAccount, name: s}]
---
";

#[test]
fn objects_are_placed_in_a_namespace_together_with_their_accounts() {
    let mut objects = parse(TEXT).unwrap();
    place(&mut objects, "shop");
    assert_eq!(objects.len(), 2);
    assert_eq!(objects[0]["metadata"]["namespace"], "shop");
    assert_eq!(objects[0].get("subjects"), None);
    assert_eq!(objects[1]["subjects"][0]["namespace"], "shop");
}

#[test]
fn a_variable_is_set_once() {
    let mut objects = parse(TEXT).unwrap();
    let workload = find(&mut objects, "Deployment", "a").unwrap();
    set_environment(workload, "X", "3");
    let container = &workload["spec"]["template"]["spec"]["containers"][0];
    let expected = json!([{"name": "Y", "value": "2"}, {"name": "X", "value": "3"}]);
    assert_eq!(container["env"], expected);
}

/// Every pod of the stack runs where the Pod Security Standard `restricted` is enforced.
#[test]
fn the_manifests_name_images_that_need_no_registry() {
    for text in crate::parts::ALL {
        for object in parse(text).unwrap() {
            let text = object.to_string();
            let images = text.matches("\"image\":").count();
            assert_eq!(text.matches("\"image\":\"obspipe-e2e/").count(), images, "{text}");
            assert_eq!(text.matches("\"imagePullPolicy\":\"IfNotPresent\"").count(), images);
        }
    }
}
