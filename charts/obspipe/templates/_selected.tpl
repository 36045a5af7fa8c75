{{/*
What NOTES.txt says of the Prometheus objects in the cluster: whether each selects the rules and
monitors that the operator makes. `lookup` finds nothing without a cluster, nor in Argo CD.
*/}}

{{/* "yes" where labels meet a label selector, whose absence meets nothing: list labels, selector. */}}
{{- define "obspipe.meets" -}}
{{- $labels := index . 0 -}}
{{- $selector := index . 1 -}}
{{- $meets := not (kindIs "invalid" $selector) -}}
{{- range $key, $value := (default dict $selector).matchLabels -}}
{{- if ne (get $labels $key) $value -}}{{- $meets = false -}}{{- end -}}
{{- end -}}
{{- range (default dict $selector).matchExpressions -}}
{{- $has := hasKey $labels .key -}}
{{- $in := and $has (has (get $labels .key) (default list .values)) -}}
{{- if or (and (eq .operator "In") (not $in)) (and (eq .operator "NotIn") $in) (and (eq .operator "Exists") (not $has)) (and (eq .operator "DoesNotExist") $has) -}}
{{- $meets = false -}}
{{- end -}}
{{- end -}}
{{- if $meets }}yes{{ end -}}
{{- end -}}

{{/* One selector of one Prometheus: dict at (its place), what, field, selector, labels, value. */}}
{{- define "obspipe.selectedBy" -}}
{{- if kindIs "invalid" .selector }}
  {{ .at }} takes no {{ .what }}: its {{ .field }} is not set.
{{- else if not (include "obspipe.meets" (list .labels .selector)) }}
  {{ .at }} does not select these {{ .what }}: its {{ .field }} is
    {{ toJson .selector }}
  {{- with .selector.matchLabels }}
  and meets them with
  {{- range $key, $wanted := . }}
    --set-string {{ $.value }}.{{ $key | replace "." "\\." }}={{ $wanted }}
  {{- end }}
  {{- end }}
{{- end }}
{{- end -}}

{{- define "obspipe.selected" -}}
{{- if .Capabilities.APIVersions.Has "monitoring.coreos.com/v1/Prometheus" }}
{{- $found := (lookup "monitoring.coreos.com/v1" "Prometheus" "" "").items }}
{{- $warnings := "" }}
{{- range $found }}
{{- $at := printf "Prometheus %s/%s" .metadata.namespace .metadata.name }}
{{- $rules := merge (dict "app.kubernetes.io/managed-by" "obspipe") (default dict $.Values.prometheus.ruleLabels) }}
{{- $monitors := merge (dict "app.kubernetes.io/managed-by" "obspipe") (default dict $.Values.prometheus.monitorLabels) }}
{{- $warnings = print $warnings (include "obspipe.selectedBy" (dict "at" $at "what" "rules" "field" "ruleSelector" "selector" .spec.ruleSelector "labels" $rules "value" "prometheus.ruleLabels")) }}
{{- $warnings = print $warnings (include "obspipe.selectedBy" (dict "at" $at "what" "monitors" "field" "podMonitorSelector" "selector" .spec.podMonitorSelector "labels" $monitors "value" "prometheus.monitorLabels")) }}
{{- end }}
{{- if and $found (not $warnings) }}

Every Prometheus that is here selects the rules and monitors of pipelines by their labels.
{{- else if $warnings }}

WARNING: not every Prometheus that is here sees what pipelines declare.
{{ trimPrefix "\n" $warnings }}
{{- end }}
{{- else if not (.Capabilities.APIVersions.Has "monitoring.coreos.com/v1/PrometheusRule") }}

prometheus-operator's definitions are not here: the rules of pipelines wait for them
(condition RulesReady says KindNotServed), everything else works.
{{- end }}
{{- end -}}
