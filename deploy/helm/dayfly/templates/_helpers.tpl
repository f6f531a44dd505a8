{{- define "dayfly.selector" -}}
app.kubernetes.io/name: dayfly
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "dayfly.rights" -}}
{{ if .Values.namespaced }}Role{{ else }}ClusterRole{{ end }}
{{- end }}

{{- define "dayfly.rightsMetadata" -}}
{{- if .Values.namespaced -}}
name: {{ .Release.Name }}
namespace: {{ .Release.Namespace }}
{{- else -}}
name: {{ .Release.Namespace }}-{{ .Release.Name }}
{{- end }}
labels:
  {{- include "dayfly.selector" . | nindent 2 }}
{{- end }}

{{- /* What the platform is told: settings of its own, then the user's over them. */ -}}
{{- define "dayfly.environment" -}}
{{- $told := dict
  "DAYFLY_SERVER__HOST" "0.0.0.0"
  "DAYFLY_SERVER__PORT" "30080"
  "DAYFLY_SERVER__PUBLIC_URL" .Values.publicUrl
  "DAYFLY_DATA__FOLDER" "/var/lib/dayfly"
  "DAYFLY_DATA__STORAGE" (.Values.storage | default "file:///store")
  "DAYFLY_KUBERNETES__PLATFORM" .Release.Name
  "HOME" "/var/lib/dayfly"
}}
{{- if .Values.namespaced }}
{{- $_ := set $told "DAYFLY_KUBERNETES__NAMESPACE" .Release.Namespace }}
{{- end }}
{{- if .Values.taskEnvironment }}
{{- $_ := set $told "DAYFLY_KUBERNETES__ENVIRONMENT" (toJson .Values.taskEnvironment) }}
{{- end }}
{{- if .Values.sharedClaim }}
{{- $volume := dict "name" "store" "persistentVolumeClaim" (dict "claimName" .Values.sharedClaim) }}
{{- $mount := dict "name" "store" "mountPath" "/store" }}
{{- $container := dict "name" "default" "volumeMounts" (list $mount) }}
{{- $spec := dict "containers" (list $container) "volumes" (list $volume) }}
{{- $_ := set $told "DAYFLY_KUBERNETES__POD_TEMPLATE" (toJson (dict "spec" $spec)) }}
{{- end }}
{{- range $name, $value := mergeOverwrite $told .Values.environment }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
