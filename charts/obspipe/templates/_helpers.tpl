{{/* Name of everything the chart makes: always obspipe-operator, unless the release is named otherwise. */}}
{{- define "obspipe.fullname" -}}
{{- if or (eq .Release.Name "obspipe") (eq .Release.Name "release-name") -}}
obspipe-operator
{{- else -}}
{{- printf "%s-operator" .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "obspipe.serviceAccountName" -}}
{{- default (ternary (include "obspipe.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "obspipe.selectorLabels" -}}
app.kubernetes.io/name: obspipe-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "obspipe.labels" -}}
{{ include "obspipe.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: obspipe
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* Exactly what the operator's code uses; the test suite fails on more and on less. */}}
{{- define "obspipe.rules" -}}
- apiGroups: [obspipe.dev]
  resources: [observabilitypipelines]
  verbs: [list, watch]
- apiGroups: [obspipe.dev]
  resources: [observabilitypipelines/status]
  verbs: [patch]
# Owner references that block deletion need it where OwnerReferencesPermissionEnforcement is on.
- apiGroups: [obspipe.dev]
  resources: [observabilitypipelines/finalizers]
  verbs: [update]
- apiGroups: [""]
  resources: [configmaps, services]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [""]
  resources: [serviceaccounts]
  verbs: [get, list, watch, create, patch]
- apiGroups: [""]
  resources: [pods]
  verbs: [list]
- apiGroups: [apps]
  resources: [daemonsets, deployments, statefulsets, controllerrevisions]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [policy]
  resources: [poddisruptionbudgets]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [networking.k8s.io]
  resources: [networkpolicies]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [prometheusrules]
  verbs: [get, list, watch, create, patch, delete]
- apiGroups: [monitoring.coreos.com]
  resources: [podmonitors]
  verbs: [get, list, watch, create, patch]
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}
