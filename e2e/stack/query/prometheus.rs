//! Prometheus' API: samples, and what its alerts are up to.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::{Proxy, so_far};
use crate::error::Result;
use crate::wait::eventually;

/// The Prometheus of a namespace.
#[derive(Debug, Clone)]
pub struct Prometheus(pub(crate) Proxy);

/// A series and its values: one of an instant query, many of a range.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Without the name.
    pub labels: BTreeMap<String, String>,
    /// Seconds since 1970 and the value.
    pub points: Vec<(f64, f64)>,
}

impl Sample {
    /// The last value.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.points.last().map_or(f64::NAN, |point| point.1)
    }

    /// The mean of its values.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let sum: f64 = self.points.iter().map(|point| point.1).sum();
        sum / self.points.len() as f64
    }
}

/// An alert that is pending or firing.
#[derive(Debug, Clone, PartialEq)]
pub struct Alert {
    /// `alertname`.
    pub name: String,
    /// `pending` or `firing`.
    pub state: String,
    /// When it began to be pending: RFC 3339.
    pub active_at: String,
    /// All labels.
    pub labels: BTreeMap<String, String>,
}

const QUERY: &str = "/api/v1/query";
const RULES: &str = "/api/v1/rules";

impl Prometheus {
    /// The result of an expression now; a scalar is a series without labels.
    ///
    /// # Errors
    /// Prometheus did not answer, or refused the expression.
    pub async fn query(&self, promql: &str) -> Result<Vec<Sample>> {
        Ok(samples(&self.0.get(QUERY, &[("query", promql)]).await?["data"]))
    }

    /// The command that shows it.
    #[must_use]
    pub fn command(&self, promql: &str) -> String {
        self.0.command(QUERY, &[("query", promql)])
    }

    /// The only value of an expression now; nothing while there is none.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub async fn value(&self, promql: &str) -> Result<Option<f64>> {
        Ok(self.query(promql).await?.first().map(Sample::value).filter(|value| value.is_finite()))
    }

    /// The result of an expression over the last seconds, a value for each `step` of them.
    ///
    /// # Errors
    /// As [`Self::query`].
    pub async fn range(&self, promql: &str, last: Duration, step: u32) -> Result<Vec<Sample>> {
        let end = self.value("time()").await?.unwrap_or_default();
        let start = (end - last.as_secs_f64()).to_string();
        let (end, step) = (end.to_string(), step.to_string());
        let parameters = [("query", promql), ("start", &start), ("end", &end), ("step", &step)];
        Ok(samples(&self.0.get("/api/v1/query_range", &parameters).await?["data"]))
    }

    /// Waits until an expression has one value for which that holds.
    ///
    /// # Errors
    /// It had none in time.
    pub async fn wait(
        &self,
        promql: &str,
        within: Duration,
        holds: impl Fn(f64) -> bool,
    ) -> Result<f64> {
        let what = format!("{promql} in Prometheus");
        eventually(&what, within, async || match self.value(promql).await {
            Ok(Some(value)) if holds(value) => Ok(value),
            other => Err(so_far(other)),
        })
        .await
    }

    /// The trace ids that the last exemplars of an expression's series lead to.
    ///
    /// # Errors
    /// Prometheus did not answer, or refused the expression.
    pub async fn exemplars(&self, promql: &str) -> Result<Vec<String>> {
        let end = self.value("time()").await?.unwrap_or_default();
        let (start, end) = ((end - 600.0).to_string(), end.to_string());
        let parameters = [("query", promql), ("start", &*start), ("end", &*end)];
        let answer = self.0.get("/api/v1/query_exemplars", &parameters).await?;
        let series = answer["data"].as_array().into_iter().flatten();
        let last = series.filter_map(|it| it["exemplars"].as_array()?.last());
        let ids = last.filter_map(|it| it["labels"]["trace_id"].as_str());
        Ok(ids.map(ToOwned::to_owned).collect())
    }

    /// Every alert that is pending or firing.
    ///
    /// # Errors
    /// Prometheus did not answer.
    pub async fn alerts(&self) -> Result<Vec<Alert>> {
        let answer = self.0.get("/api/v1/alerts", &[]).await?;
        let alerts = answer["data"]["alerts"].as_array().into_iter().flatten();
        Ok(alerts.map(alert).collect())
    }

    /// The command that shows them.
    #[must_use]
    pub fn alerts_command(&self) -> String {
        self.0.command("/api/v1/alerts", &[])
    }

    /// Waits until an alert is in a state.
    ///
    /// # Errors
    /// It was not in time.
    pub async fn alert(&self, name: &str, state: &str, within: Duration) -> Result<Alert> {
        let what = format!("the alert {name} to be {state}");
        eventually(&what, within, async || {
            let alerts = self.alerts().await;
            let wanted = |it: &&Alert| it.name == name && it.state == state;
            match alerts.as_deref().ok().and_then(|all| all.iter().find(wanted)) {
                Some(found) => Ok(found.clone()),
                None => Err(so_far(alerts)),
            }
        })
        .await
    }

    /// `firing` if an alert of this name is, else `pending` if one is.
    ///
    /// # Errors
    /// Prometheus did not answer.
    pub async fn state(&self, alert: &str) -> Result<Option<String>> {
        let alerts = self.alerts().await?;
        let states = alerts.into_iter().filter(|it| it.name == alert).map(|it| it.state);
        // Of two words, "firing" is the lesser.
        Ok(states.min())
    }

    /// For how long an alert of this name has been pending or firing.
    ///
    /// # Errors
    /// Prometheus did not answer.
    pub async fn pending_for(&self, alert: &str) -> Result<Option<Duration>> {
        let since = format!("max(time() - ALERTS_FOR_STATE{{alertname=\"{alert}\"}})");
        let seconds = self.value(&since).await?;
        Ok(seconds.map(|seconds| Duration::from_secs_f64(seconds.max(0.0))))
    }

    /// The `for` of an alerting rule; nothing while the rule is not evaluated.
    ///
    /// # Errors
    /// Prometheus did not answer.
    pub async fn hold(&self, alert: &str) -> Result<Option<Duration>> {
        let answer = self.0.get(RULES, &[]).await?;
        let groups = answer["data"]["groups"].as_array().into_iter().flatten();
        let mut rules = groups.flat_map(|it| it["rules"].as_array().into_iter().flatten());
        let rule = rules.find(|rule| rule["type"] == "alerting" && rule["name"] == alert);
        let seconds = rule.and_then(|rule| rule["duration"].as_f64());
        Ok(seconds.map(Duration::from_secs_f64))
    }

    /// What it scrapes: `labels`, `health`, `lastError` of each active target.
    ///
    /// # Errors
    /// Prometheus did not answer.
    pub async fn targets(&self) -> Result<Vec<Value>> {
        let answer = self.0.get("/api/v1/targets", &[("state", "active")]).await?;
        Ok(answer["data"]["activeTargets"].as_array().cloned().unwrap_or_default())
    }

    /// The names of the rule groups it evaluates.
    ///
    /// # Errors
    /// Prometheus did not answer.
    pub async fn rule_groups(&self) -> Result<Vec<String>> {
        let answer = self.0.get(RULES, &[]).await?;
        let groups = answer["data"]["groups"].as_array().into_iter().flatten();
        Ok(groups.filter_map(|it| it["name"].as_str()).map(ToOwned::to_owned).collect())
    }
}

fn alert(alert: &Value) -> Alert {
    let labels = labels(&alert["labels"]);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    Alert {
        name: labels.get("alertname").cloned().unwrap_or_default(),
        state: text(&alert["state"]),
        active_at: text(&alert["activeAt"]),
        labels,
    }
}

/// From `data` of an answer.
fn samples(data: &Value) -> Vec<Sample> {
    if data["resultType"] == "scalar" {
        let points = point(&data["result"]).into_iter().collect();
        return vec![Sample { labels: BTreeMap::new(), points }];
    }
    let series = data["result"].as_array().into_iter().flatten();
    series
        .map(|series| {
            let many = series["values"].as_array().into_iter().flatten();
            let points = many.chain([&series["value"]]).filter_map(point).collect();
            Sample { labels: labels(&series["metric"]), points }
        })
        .collect()
}

fn point(pair: &Value) -> Option<(f64, f64)> {
    Some((pair.get(0)?.as_f64()?, pair.get(1)?.as_str()?.parse().ok()?))
}

fn labels(map: &Value) -> BTreeMap<String, String> {
    let pairs = map.as_object().into_iter().flatten();
    let pairs = pairs.filter(|(name, _)| *name != "__name__");
    pairs.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn samples_are_read_from_vectors_ranges_and_scalars() {
        let vector = json!({"resultType": "vector", "result": [
            {"metric": {"__name__": "up", "job": "a"}, "value": [1.5, "2"]}]});
        let read = samples(&vector);
        assert_eq!(read[0].labels, BTreeMap::from([("job".to_owned(), "a".to_owned())]));
        assert_eq!(read[0].points, [(1.5, 2.0)]);
        let matrix = json!({"resultType": "matrix", "result": [
            {"metric": {}, "values": [[1, "2"], [2, "4"]]}]});
        assert_eq!(samples(&matrix)[0].mean(), 3.0);
        let scalar = json!({"resultType": "scalar", "result": [1, "7"]});
        assert_eq!(samples(&scalar)[0].value(), 7.0);
        assert!(samples(&json!({"resultType": "vector", "result": []})).is_empty());
    }
}
