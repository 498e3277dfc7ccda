{{- /* Made by npm run generate from core/resources; do not edit. */ -}}
{{- define "arpeggio.frozenSpecExpression" -}}
object.spec.all(k, k in ['suspend', 'cancel', 'retryFailed', 'deadline', 'ttlAfterFinished'] || (k in oldObject.spec && object.spec[k] == oldObject.spec[k])) && oldObject.spec.all(k, k in ['suspend', 'cancel', 'retryFailed', 'deadline', 'ttlAfterFinished'] || k in object.spec)
{{- end -}}
{{- define "arpeggio.mutableSpecKeys" -}}
suspend, cancel, retryFailed, deadline and ttlAfterFinished
{{- end -}}
