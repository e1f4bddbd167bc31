{{/* The name of everything: the release's, which says guildhall by itself or is made to. */}}
{{- define "guildhall.name" -}}
{{- if contains "guildhall" .Release.Name -}}
{{- .Release.Name | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-guildhall" (.Release.Name | trunc 35 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{/* The name under which nodes find each other. */}}
{{- define "guildhall.nodes" -}}
{{- printf "%s-nodes" (include "guildhall.name" .) -}}
{{- end -}}

{{- define "guildhall.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "guildhall.name" .) -}}
{{- end -}}

{{- define "guildhall.image" -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}

{{/* What selects the pods of nodes: not that of the migration, which takes no clients. Never changed. */}}
{{- define "guildhall.selector" -}}
app.kubernetes.io/name: guildhall
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: node
{{- end -}}

{{/* The labels of everything but its component. */}}
{{- define "guildhall.labels" -}}
app.kubernetes.io/name: guildhall
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}
