//! Ids that are, and that are not.

use super::*;

#[test]
fn a_component_id_is_a_type_or_a_type_and_a_name() {
    let long = format!("{}/{}", "a".repeat(63), "n".repeat(1024));
    let table = [
        ("otlp", "otlp", ""),
        ("otlp/2", "otlp", "2"),
        ("otlp/a/b", "otlp", "a/b"),
        ("otlp/Ünïcode-name_1.2", "otlp", "Ünïcode-name_1.2"),
        ("memory_limiter", "memory_limiter", ""),
        ("A1_", "A1_", ""),
        (&long, &long[..63], &long[64..]),
    ];
    for (text, kind, name) in table {
        let id: ComponentId = text.parse().unwrap();
        assert_eq!((id.kind.as_str(), id.name.as_str()), (kind, name));
        assert_eq!(id.to_string(), text);
    }
}

#[test]
fn anything_else_is_refused_with_its_reason() {
    let (long_type, long_name) = ("a".repeat(64), format!("a/{}", "n".repeat(1025)));
    let table = [
        ("", "no component id"),
        ("/x", "no component id"),
        ("otlp/", "nothing after the slash"),
        ("1otlp", "no component id"),
        ("_otlp", "no component id"),
        ("ot-lp", "no component id"),
        ("ot lp", "no component id"),
        (" otlp", "no component id"),
        ("ötlp", "no component id"),
        (&long_type, "no component id"),
        ("otlp/a b", "blanks"),
        ("otlp/a\n", "blanks"),
        ("otlp/\u{7f}", "control"),
        (&long_name, "too long"),
    ];
    for (text, why) in table {
        let message = ComponentId::from_str(text).unwrap_err();
        assert!(message.contains(why), "{text:?}: {message}");
    }
}

#[test]
fn a_pipeline_id_begins_with_a_signal() {
    for signal in Signal::ALL {
        for name in ["", "second"] {
            let text = if name.is_empty() {
                signal.as_str().into()
            } else {
                format!("{}/{name}", signal.as_str())
            };
            let id = PipelineId::parse(&text, "p").unwrap();
            assert_eq!((id.signal, id.name.as_str(), id.to_string()), (signal, name, text));
        }
    }
    let hints = [
        ("trace", Some("did you mean \"traces\"?")),
        ("metrisc/2", Some("did you mean \"metrics\"?")),
        ("profiles", None),
        ("Traces", Some("did you mean \"traces\"?")),
    ];
    for (text, hint) in hints {
        let problem = PipelineId::parse(text, "p").unwrap_err();
        assert_eq!((problem.path.as_str(), problem.code), ("p", Code::InvalidId));
        assert_eq!(problem.hint.as_deref(), hint, "{text}");
    }
    for text in ["", "traces/", "traces/a b", "-"] {
        assert_eq!(PipelineId::parse(text, "p").unwrap_err().code, Code::InvalidId, "{text:?}");
    }
}
