use clap::Parser;

use super::*;

#[derive(Parser)]
struct Program {
    #[command(flatten)]
    run: RunArguments,
}

fn parse(arguments: &[&str]) -> Result<RunArguments, clap::Error> {
    let all = std::iter::once(&"program").chain(arguments);
    Program::try_parse_from(all).map(|program| program.run)
}

#[test]
fn without_arguments_everything_is_as_the_settings_default() {
    let arguments = parse(&[]).unwrap();
    assert_eq!(arguments.settings(), Settings::default());
    assert!(arguments.scope.leader_elect);
    assert_eq!(arguments.options().concurrency, 8);
    assert!(arguments.options().namespaces.is_empty());
}

#[test]
fn lists_repeat_and_split() {
    let arguments = parse(&[
        "--namespace=a,b",
        "--namespace=",
        "--rule-label=release=kps,team=x",
        "--dashboard-annotation=folder=A, B",
        "--leader-elect=false",
    ])
    .unwrap();
    assert_eq!(arguments.options().namespaces, ["a", "b"]);
    let settings = arguments.settings();
    assert_eq!(settings.rule_labels["team"], "x");
    assert_eq!(settings.dashboard_annotations["folder"], "A, B");
    assert!(!arguments.scope.leader_elect);
}

#[test]
fn nonsense_is_refused() {
    for wrong in ["--rule-label=x", "--rule-label==x", "--concurrency=0", "--listen=8080"] {
        assert!(parse(&[wrong]).is_err(), "{wrong}");
    }
}
