//! The whole picture: an application sends through the pipeline, and every backend is asked what it
//! knows. What is asked comes from the cluster (the dashboard's ConfigMap, the rules that Prometheus
//! evaluates), never from here.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use local_cluster::{Silent, Spinner};
use obspipe_e2e::query::{Prometheus, Span, Trace};
use obspipe_e2e::{Load, Namespace, Panel, Shop, Stack, eventually};
use serde_json::{Value, json};

use crate::show;
use crate::telling::{Waiting, say, wait};

const DASHBOARD: &str = "otel-dashboard-service-overview";
const ALERT: &str = "HighErrorRate";
/// Attributes of the document's span, shown in the tree.
const TAGS: [&str; 2] = ["order.id", "order.total"];
/// Orders in a second: enough for errors to be seen soon.
const RATE: f64 = 10.0;
/// How long telemetry may take to be seen: batches of 10 s, scrapes of 5 s, two of them for a rate.
const SEEN_WITHIN: Duration = Duration::from_secs(180);
/// How much longer than its own `for` an alert may take to fire.
const ALERT_LATE: Duration = Duration::from_secs(120);
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What was seen, for programs.
pub(crate) type Seen = serde_json::Map<String, Value>;

/// Everything that a pipeline finds in a cluster: images, backends by the names in its
/// configuration, who runs Prometheus, the operator.
pub(crate) async fn install(stack: &Stack, namespace: &str) -> Result<Namespace> {
    say!("\n2. Images and backends");
    let spinner = Spinner::new();
    let start = Instant::now();
    stack.load_images(&spinner).await?;
    spinner.finish();
    say!("  ✓ images in the node, without a registry ({:.1} s)", start.elapsed().as_secs_f64());
    let operator = stack.install_prometheus_operator(&Silent);
    wait("prometheus-operator runs", operator).await?;
    let namespace = stack.namespace(namespace).await?;
    wait("Jaeger and Loki run", namespace.backends()).await?;
    wait("Prometheus and Alertmanager run, by prometheus-operator", namespace.monitoring()).await?;
    say!("\n3. helm install obspipe charts/obspipe");
    wait("the operator is available", stack.chart().install(&[])).await?;
    Ok(namespace)
}

/// From the application's first order to the alert that fires.
pub(crate) async fn show(namespace: &Namespace, to_the_end: bool) -> Result<Seen> {
    say!("\n7. An application with OpenTelemetry's SDK, the document's code unchanged");
    wait("3 pods of 2 processes take orders", namespace.shop(&Shop::default())).await?;
    let load = Load { rate: RATE, ..Load::default() };
    let customers = namespace.load(&load).await?;
    say!("  ✓ {RATE} orders a second, of which 5 % fail and 2 % are slow");
    again(&customers.command());
    let mut seen = Seen::new();
    let trace = trace(namespace, &mut seen).await?;
    log(namespace, &trace, &mut seen).await?;
    say!("\n10. The dashboard's own expressions, in Prometheus");
    say!("  Rates are over five minutes, and grow until those have passed.");
    dashboard(namespace, &mut seen).await?;
    alert(namespace, to_the_end, &mut seen).await?;
    if to_the_end {
        say!("\n12. The dashboard again, after five minutes");
        dashboard(namespace, &mut seen).await?;
    }
    Ok(seen)
}

fn again(command: &str) {
    say!("    $ {command}");
}

async fn trace(namespace: &Namespace, seen: &mut Seen) -> Result<Trace> {
    say!("\n8. One order as a trace, in Jaeger");
    let jaeger = namespace.jaeger();
    let look = async || {
        let found = jaeger.find("shop", "POST /order", 20).await.map_err(|it| it.to_string())?;
        let paid = |it: &Trace| it.span("POST /payment").is_some_and(succeeded);
        found
            .into_iter()
            .find(|it| it.is_complete() && paid(it))
            .ok_or_else(|| "no whole trace of an order that was paid".to_owned())
    };
    let found = eventually("a trace over both services", SEEN_WITHIN, look);
    let trace = wait("it arrived", found).await?;
    say!("\n{}", show::indented(&trace.tree(&TAGS)));
    let command = jaeger.trace_command(&trace.id);
    again(&command);
    seen.insert(
        "trace".to_owned(),
        json!({"id": trace.id, "spans": trace.spans.len(), "tree": trace.tree(&TAGS), "command": command}),
    );
    Ok(trace)
}

fn succeeded(span: &Span) -> bool {
    span.tags.get("http.status_code").and_then(Value::as_u64) == Some(200)
}

async fn log(namespace: &Namespace, trace: &Trace, seen: &mut Seen) -> Result<()> {
    say!("\n9. What was logged in that trace, in Loki");
    let loki = namespace.loki();
    let query = format!("{{job=~\"shop|payment\"}} |= \"{}\"", trace.id);
    let lines = wait("it arrived", loki.wait(&query, 1)).await?;
    for line in &lines {
        say!("  {}", line.text);
    }
    let command = loki.command(&query);
    again(&command);
    let texts: Vec<Value> = lines.iter().map(|line| line.json()).collect();
    seen.insert("log".to_owned(), json!({"lines": texts, "command": command}));
    Ok(())
}

/// Each panel's figure, as soon as there is one.
async fn dashboard(namespace: &Namespace, seen: &mut Seen) -> Result<()> {
    let prometheus = namespace.prometheus();
    let mut figures = Vec::new();
    for panel in namespace.dashboard(DASHBOARD).await? {
        let what = format!("{} has a figure", panel.title);
        let look = async || figure(&prometheus, &panel).await;
        let waiting = Waiting::new(&what);
        let figure = eventually(&what, SEEN_WITHIN, look).await?;
        drop(waiting);
        let command = prometheus.command(&panel.expression);
        say!("  ✓ {:<13} {figure}", panel.title);
        again(&command);
        figures.push(json!({"title": panel.title, "expression": panel.expression,
                            "figure": figure, "command": command}));
    }
    seen.insert("dashboard".to_owned(), Value::Array(figures));
    Ok(())
}

async fn figure(prometheus: &Prometheus, panel: &Panel) -> Result<String, String> {
    let samples = prometheus.query(&panel.expression).await.map_err(|it| it.to_string())?;
    let values: Vec<f64> =
        samples.iter().map(|it| it.value()).filter(|it| it.is_finite()).collect();
    show::figure(&values, &panel.unit).ok_or_else(|| format!("{samples:?}"))
}

/// Pending, a countdown of the rule's own `for`, then firing, at Alertmanager as well.
async fn alert(namespace: &Namespace, to_the_end: bool, seen: &mut Seen) -> Result<()> {
    say!("\n11. The alert {ALERT}");
    let prometheus = namespace.prometheus();
    let holds = prometheus.hold(ALERT).await?.context("Prometheus does not evaluate the rule")?;
    let what = format!("the alert {ALERT} to be pending");
    let looking = async || match prometheus.state(ALERT).await {
        Ok(Some(state)) => Ok(state),
        other => Err(format!("{other:?}")),
    };
    let state = wait("it is pending or firing", eventually(&what, SEEN_WITHIN, looking)).await?;
    say!("  ✓ {state}; it fires after {} s, as the document says", holds.as_secs());
    again(&prometheus.alerts_command());
    if state != "firing" && to_the_end {
        count_down(&prometheus, holds).await?;
    }
    let state = prometheus.state(ALERT).await?.unwrap_or_default();
    seen.insert(
        "alert".to_owned(),
        json!({"name": ALERT, "state": state, "command": prometheus.alerts_command()}),
    );
    if state == "firing" {
        let manager = namespace.alertmanager();
        wait("Alertmanager has it", manager.alert(ALERT, ALERT_LATE)).await?;
        again(&manager.command());
        seen.insert("alertmanager".to_owned(), json!({"command": manager.command()}));
    }
    Ok(())
}

async fn count_down(prometheus: &Prometheus, holds: Duration) -> Result<()> {
    let waiting = Waiting::new("pending");
    let deadline = Instant::now() + holds + ALERT_LATE;
    let mut told = u64::MAX;
    loop {
        let state = prometheus.state(ALERT).await?;
        if state.as_deref() == Some("firing") {
            drop(waiting);
            say!("  ✓ firing");
            return Ok(());
        }
        let Some(since) = prometheus.pending_for(ALERT).await? else {
            bail!("the alert {ALERT} is no longer pending: its expression does not hold any more");
        };
        let left = holds.saturating_sub(since).as_secs();
        waiting.now(format!("pending, fires in {left} s"));
        // Where there is no terminal, a line each minute.
        if left / 60 < told / 60 {
            told = left;
            say!("    pending, fires in {left} s");
        }
        if Instant::now() > deadline {
            bail!(
                "the alert {ALERT} does not fire {} s after it should have",
                ALERT_LATE.as_secs()
            );
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
