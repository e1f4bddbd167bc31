{{/* All plain settings as the environment of a node: a map. */}}
{{- define "guildhall.settings" -}}
GUILDHALL__SERVER__LISTEN: 0.0.0.0:8080
GUILDHALL__SERVER__DATA: /data
GUILDHALL__SERVER__PUBLIC_URL: {{ required "publicUrl is needed: the origin under which clients reach the release" .Values.publicUrl | quote }}
GUILDHALL__OPERATOR__LISTEN: 0.0.0.0:8081
GUILDHALL__CLUSTER__LISTEN: 0.0.0.0:7946
GUILDHALL__CLUSTER__ROLES: {{ join "," .Values.roles }}
GUILDHALL__GATEWAY__DRAIN_TIMEOUT: {{ printf "%ds" (int .Values.drain.seconds) }}
{{- range $part, $keys := .Values.settings }}
{{- range $key, $value := $keys }}
{{- /* Helm reads whole numbers as fractions and would write large ones with an exponent. */}}
{{- if kindIs "float64" $value }}{{- $value = printf "%.0f" $value }}{{- end }}
{{ printf "GUILDHALL__%s__%s" (upper $part) (upper $key) }}: {{ toString $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Where the engines are, from the Secret: a list of environment variables. */}}
{{- define "guildhall.engines" -}}
{{- $secret := required "engines.secret is needed: the Secret with the addresses of the engines" .Values.engines.secret -}}
{{- range $index, $key := list "postgres" "kafka" "cql" "s3" }}
{{- if $index }}{{ "\n" }}{{ end -}}
- name: GUILDHALL__CLUSTER__{{ upper $key }}
  valueFrom:
    secretKeyRef:
      name: {{ $secret }}
      key: {{ get $.Values.engines.keys $key }}
{{- end }}
{{- with .Values.engines.keys.redis }}
- name: GUILDHALL__CLUSTER__REDIS
  valueFrom:
    secretKeyRef:
      name: {{ $secret }}
      key: {{ . }}
{{- end }}
{{- with .Values.engines.keys.kafkaPassword }}
- name: GUILDHALL__CLUSTER__KAFKA_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ $secret }}
      key: {{ . }}
{{- end }}
{{- with .Values.engines.keys.cqlPassword }}
- name: GUILDHALL__CLUSTER__CQL_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ $secret }}
      key: {{ . }}
{{- end }}
{{- with .Values.engines.keys.metricsToken }}
- name: GUILDHALL__OPERATOR__METRICS_TOKEN
  valueFrom:
    secretKeyRef:
      name: {{ $secret }}
      key: {{ . }}
{{- end }}
{{- range $key, $setting := include "guildhall.engineFiles" . | fromYaml }}
{{- if get $.Values.engines.keys $key }}
- name: GUILDHALL__CLUSTER__{{ $setting }}
  value: /etc/guildhall/engines/{{ $key }}.pem
{{- end }}
{{- end }}
{{- end -}}

{{/* What of the Secret the program reads as files, with the settings that name them: a map. */}}
{{- define "guildhall.engineFiles" -}}
authority: ENGINE_AUTHORITY
kafkaCertificate: KAFKA_CERTIFICATE
kafkaKey: KAFKA_KEY
{{- end -}}

{{/* Those that there are, as volumes of a pod: a list, perhaps an empty one. */}}
{{- define "guildhall.engineVolumes" -}}
{{- $items := list }}
{{- range $key, $setting := include "guildhall.engineFiles" . | fromYaml }}
{{- with get $.Values.engines.keys $key }}
{{- $items = append $items (dict "key" . "path" (printf "%s.pem" $key)) }}
{{- end }}
{{- end }}
{{- with $items }}
- name: engines
  secret:
    secretName: {{ $.Values.engines.secret }}
    defaultMode: 0440
    items:
      {{- toYaml . | nindent 6 }}
{{- end }}
{{- end -}}

{{/* Where a container finds them. */}}
{{- define "guildhall.engineMounts" -}}
{{- if include "guildhall.engineVolumes" . }}
- name: engines
  mountPath: /etc/guildhall/engines
  readOnly: true
{{- end }}
{{- end -}}

{{/* What no container of this program needs, so none has it. */}}
{{- define "guildhall.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "guildhall.unprivileged" -}}
runAsNonRoot: true
# The user of the image, and the group that the data volume is given.
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile:
  type: RuntimeDefault
{{- end -}}
