{{- define "lictor.name" -}}
{{- if contains "lictor" .Release.Name }}{{ .Release.Name }}{{ else }}{{ printf "%s-lictor" .Release.Name }}{{ end }}
{{- end }}

{{- define "lictor.selector" -}}
app.kubernetes.io/name: lictor
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "lictor.labels" -}}
{{ include "lictor.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "lictor.image" -}}
{{- $repository := required "image.repository is empty: name the repository that you pushed the image of Lictor to." .Values.image.repository -}}
{{- if .Values.image.digest }}{{ $repository }}@{{ .Values.image.digest }}{{ else }}{{ $repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "lictor.publicUrl" -}}
{{ required "config.public_url is empty: write what people and workers type, as https://prefect.example.com." .Values.config.public_url }}
{{- end }}

{{- define "lictor.host" -}}
{{ (urlParse (include "lictor.publicUrl" .)).host }}
{{- end }}

{{- define "lictor.path" -}}
{{ (urlParse (include "lictor.publicUrl" .)).path | trimSuffix "/" }}
{{- end }}

{{- define "lictor.endsTls" -}}
{{- if or .Values.tls.secret .Values.config.tls }}true{{ end }}
{{- end }}

{{- define "lictor.servicePort" -}}
{{- if include "lictor.endsTls" . }}443{{ else }}80{{ end }}
{{- end }}

{{/* "true": more than one node, whose store is Postgres. */}}
{{- define "lictor.several" -}}
{{- if gt (int .Values.replicas) 1 }}
{{- $store := .Values.config.store | default "" }}
{{- if not (or (kindIs "map" $store) (hasPrefix "postgres" (toString $store))) }}
{{- fail "replicas is more than 1, and config.store is no Postgres database: nodes share one store." }}
{{- end }}
{{- if not .Values.sealSecret }}
{{- fail "sealSecret is empty: name the Secret with the key seal.key, which all nodes share." }}
{{- end }}
{{- if .Values.persistence.existingClaim }}
{{- fail "persistence.existingClaim is for one node: with replicas, each node has its claim." }}
{{- end -}}
true
{{- end }}
{{- end }}

{{- define "lictor.claim" -}}
accessModes: [ReadWriteOnce]
{{- with .Values.persistence.storageClass }}
storageClassName: {{ . }}
{{- end }}
resources:
  requests:
    storage: {{ .Values.persistence.size }}
{{- end }}

{{- define "lictor.prefectLabels" -}}
{{- with .Values.prefect.podLabels }}
{{- toYaml . }}
{{- else -}}
app.kubernetes.io/name: prefect-server
app.kubernetes.io/instance: {{ .Values.prefect.release }}
{{- end }}
{{- end }}

{{/* The key of the ConfigMap for a path of `files`. */}}
{{- define "lictor.fileKey" -}}
{{ replace "/" "__" . }}
{{- end }}

{{/* lictor.yaml: `config`, and what the chart knows. */}}
{{- define "lictor.yaml" -}}
{{- $config := deepCopy .Values.config }}
{{- $_ := set $config "listen" "0.0.0.0:8200" }}
{{- if .Values.metrics.enabled }}
{{- $_ := set $config "metrics" (dict "listen" "127.0.0.1:9464") }}
{{- end }}
{{- $prefect := $config.prefect | default dict }}
{{- if not (or $prefect.url $prefect.servers) }}
{{- $_ := set $prefect "url" (printf "http://%s.%s.svc:%v" .Values.prefect.service (.Values.prefect.namespace | default .Release.Namespace) .Values.prefect.port) }}
{{- end }}
{{- if .Values.prefect.authSecret }}
{{- $_ := set $prefect "auth_string_file" (printf "/run/secrets/lictor/%s/auth-string" .Values.prefect.authSecret) }}
{{- end }}
{{- $_ := set $config "prefect" $prefect }}
{{- if .Values.tls.secret }}
{{- $directory := printf "/run/secrets/lictor/%s" .Values.tls.secret }}
{{- $_ := set $config "tls" (merge (dict "cert" (printf "%s/tls.crt" $directory) "key" (printf "%s/tls.key" $directory)) ($config.tls | default dict)) }}
{{- else if and (hasPrefix "https://" (include "lictor.publicUrl" .)) (not $config.tls) }}
{{- if not $config.trusted_proxies }}
{{- fail "config.trusted_proxies is empty: list the addresses of the Ingress or Gateway that ends TLS, or name a certificate in tls.secret." }}
{{- end }}
{{- $_ := set $config "tls_terminated_upstream" true }}
{{- end }}
{{- toYaml $config }}
{{- end }}
