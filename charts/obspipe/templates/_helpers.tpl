{{/* Name of everything the chart makes: obspipe-operator, unless the release is named otherwise. */}}
{{- define "obspipe.fullname" -}}
{{- if or (eq .Release.Name "obspipe") (eq .Release.Name "release-name") -}}
obspipe-operator
{{- else if contains "obspipe" .Release.Name -}}
{{- printf "%s-operator" .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-obspipe-operator" .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "obspipe.serviceAccountName" -}}
{{- default (ternary (include "obspipe.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "obspipe.selectorLabels" -}}
app.kubernetes.io/name: obspipe-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Of objects, never of pod templates: the chart's version in them would restart pods for nothing. */}}
{{- define "obspipe.labels" -}}
{{ include "obspipe.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: obspipe
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Labels of an object and further ones, which win over commonLabels: list context, labels. */}}
{{- define "obspipe.labelsWith" -}}
{{- $labels := include "obspipe.labels" (index . 0) | fromYaml -}}
{{- toYaml (merge (dict) (default dict (index . 1)) $labels) -}}
{{- end -}}

{{/* An image by digest, else by tag, else of this release: list context, values of the image. */}}
{{- define "obspipe.image" -}}
{{- $context := index . 0 -}}
{{- $image := index . 1 -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository (default $context.Chart.AppVersion $image.tag) -}}
{{- end -}}
{{- end -}}

{{/* What `run` and `doctor` are told alike. */}}
{{- define "obspipe.scope" -}}
- --leader-elect={{ .Values.leaderElection }}
- --lease-name={{ include "obspipe.fullname" . }}
{{- range .Values.watchNamespaces }}
- --namespace={{ . }}
{{- end }}
{{- end -}}

{{/* The operator's pods and those of `helm test` meet the Pod Security Standard "restricted". */}}
{{- define "obspipe.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "obspipe.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/* The job of the operator's metrics, as prometheus-operator names that of a PodMonitor. */}}
{{- define "obspipe.job" -}}
{{- printf "%s/%s" .Release.Namespace (include "obspipe.fullname" .) -}}
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
