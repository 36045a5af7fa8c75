use super::*;
use crate::signal::Signal;

#[test]
fn smoke() {
    let text = br#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"a"}}]},"scopeSpans":[{"scope":{},"spans":[{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","flags":1,"name":"x","kind":2,"startTimeUnixNano":"1544712660000000000","status":{}}]}]}]}"#;
    let bytes = from_json(Signal::Traces, text, 1 << 20).unwrap();
    let mut out = Vec::new();
    to_json(Signal::Traces, &[&bytes], &mut out);
    println!("{}", String::from_utf8(out).unwrap());
    println!(
        "{:?}",
        from_json(
            Signal::Traces,
            br#"{"resourceSpans":[{"scopeSpans":[{},{"spans":[{},{"traceId":"xx"}]}]}]}"#,
            1000
        )
        .unwrap_err()
        .to_string()
    );
}
