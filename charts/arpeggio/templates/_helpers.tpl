{{- define "arpeggio.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- $name := default .Chart.Name .Values.nameOverride -}}
{{- if contains $name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "arpeggio.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/name: arpeggio
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: arpeggio
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* What never changes about the pods of a component: selectors are immutable. */ -}}
{{- define "arpeggio.operatorSelector" -}}
app.kubernetes.io/name: arpeggio
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: operator
{{- end -}}

{{- define "arpeggio.redisSelector" -}}
app.kubernetes.io/name: arpeggio
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: redis
{{- end -}}

{{- define "arpeggio.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (printf "%s-operator" (include "arpeggio.fullname" .)) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "arpeggio.image" -}}
{{- $name := printf "%s%s" (ternary "" (printf "%s/" .Values.image.registry) (empty .Values.image.registry)) .Values.image.repository -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $name .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "arpeggio.workerImage" -}}
{{- default (printf "ghcr.io/arpeggio-dev/worker:%s" .Chart.AppVersion) .Values.workerImage -}}
{{- end -}}

{{- define "arpeggio.redisHost" -}}
{{- printf "%s-redis.%s.svc" (include "arpeggio.fullname" .) .Release.Namespace -}}
{{- end -}}

{{- /* Pod Security "restricted", and a read-only root beyond it. */ -}}
{{- define "arpeggio.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- /* Namespaces of a group by comma, groups by semicolon. */ -}}
{{- define "arpeggio.sharedConnections" -}}
{{- $groups := list -}}
{{- range .Values.sharedConnections -}}
{{- $groups = append $groups (join "," .) -}}
{{- end -}}
{{- join ";" $groups -}}
{{- end -}}

{{- /* Helm reads large numbers of a file as floats: without int64 they are written with an exponent. */ -}}
{{- define "arpeggio.maxResultBytes" -}}
{{- .Values.payloads.maxResultBytes | int64 -}}
{{- end -}}

{{- define "arpeggio.maxListBytes" -}}
{{- if lt (int64 .Values.payloads.maxListBytes) (int64 .Values.payloads.maxResultBytes) -}}
{{- fail (printf "payloads.maxListBytes is %d: a list holds at least one result; make it %d (payloads.maxResultBytes) or more" (int64 .Values.payloads.maxListBytes) (int64 .Values.payloads.maxResultBytes)) -}}
{{- end -}}
{{- .Values.payloads.maxListBytes | int64 -}}
{{- end -}}
