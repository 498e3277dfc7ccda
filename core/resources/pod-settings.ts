import { z } from 'zod';
import { quantity, objectName } from './leaf.ts';

/**
 * What a WorkerPool may say about its pods. An allow-list, never a PodSpec or a patch: whatever stands here was judged
 * safe for a user who may not create pods himself.
 */

const labelKey = () => z.string().min(1).max(317);
const labelValue = () => z.string().max(63);
const quantities = () => z.record(z.string().min(1).max(317), quantity()).meta({ maxProperties: 32 });

const acceleratorSchema = z.strictObject({
  resource: z
    .string()
    .min(3)
    .max(317)
    .regex(/^[a-z0-9.-]+\/[A-Za-z0-9_.-]+$/, 'is no extended resource; write one such as nvidia.com/gpu')
    .default('nvidia.com/gpu')
    .describe('The extended resource that the device plugin offers on nodes.'),
  count: z.number().int().min(1).max(64).default(1).describe('Devices for each pod.'),
  products: z
    .array(z.string().min(1).max(63))
    .min(1)
    .max(32)
    .meta({ 'x-kubernetes-list-type': 'set' })
    .exactOptional()
    .describe(
      'Models that will do, as the node label says them: for nvidia.com/gpu the label nvidia.com/gpu.product. Any model when absent.',
    ),
});

const resourcesSchema = z.strictObject({
  requests: quantities()
    .exactOptional()
    .describe('What is reserved for each worker on its node, such as cpu: 500m and memory: 1Gi.'),
  limits: quantities().exactOptional().describe('What each worker may use at most.'),
});

const tolerationSchema = z.strictObject({
  key: labelKey().exactOptional().describe('The key of the taint; with operator Exists, absent means every taint.'),
  operator: z.enum(['Exists', 'Equal']).exactOptional().describe('How key and value are compared; Equal when absent.'),
  value: labelValue().exactOptional().describe('The value of the taint; only with Equal.'),
  effect: z
    .enum(['NoSchedule', 'PreferNoSchedule', 'NoExecute'])
    .exactOptional()
    .describe('The effect of the taint; every effect when absent.'),
  tolerationSeconds: z
    .number()
    .int()
    .exactOptional()
    .describe('How long a NoExecute taint is borne, in seconds; for ever when absent.'),
});

const keyReference = (what: string) =>
  z.strictObject({
    name: objectName().describe(`Name of the ${what} in this namespace.`),
    key: z
      .string()
      .min(1)
      .max(253)
      .regex(/^[-._a-zA-Z0-9]+$/, 'is no key: letters, digits, -, _ and . only')
      .describe(`Key within the ${what}.`),
    optional: z
      .boolean()
      .exactOptional()
      .describe(`Whether the worker may start when the ${what} or its key is missing.`),
  });

const environmentVariableSchema = z
  .strictObject({
    name: z
      .string()
      .min(1)
      .max(255)
      .regex(
        /^[-._a-zA-Z][-._a-zA-Z0-9]*$/,
        'is no name of a variable: letters, digits, -, _ and . only, and no digit at the front',
      )
      .describe('Name of the variable.'),
    value: z.string().max(32_768).exactOptional().describe('Its value; either this or valueFrom.'),
    valueFrom: z
      .strictObject({
        secretKeyRef: keyReference('Secret')
          .exactOptional()
          .describe('Takes the value from a Secret in this namespace.'),
        configMapKeyRef: keyReference('ConfigMap')
          .exactOptional()
          .describe('Takes the value from a ConfigMap in this namespace.'),
      })
      .meta({
        'x-kubernetes-validations': [
          {
            rule: 'has(self.secretKeyRef) != has(self.configMapKeyRef)',
            message: 'give exactly one of secretKeyRef and configMapKeyRef',
          },
        ],
      })
      .exactOptional()
      .describe('Where the value comes from; either this or value.'),
  })
  .meta({
    'x-kubernetes-validations': [
      { rule: '!(has(self.value) && has(self.valueFrom))', message: 'give either value or valueFrom' },
      {
        rule: "!self.name.startsWith('ARPEGGIO_')",
        message: 'names that begin with ARPEGGIO_ are set by the operator',
      },
    ],
  });

/** The part of a WorkerPool's spec that goes into its pods as it stands. */
export const podSettings = {
  image: z
    .string()
    .min(1)
    .max(500)
    .regex(/^\S+$/, 'is no image: it may not hold blanks')
    .exactOptional()
    .describe(
      'The image of the workers, with the task modules in /app/tasks: made FROM the Arpeggio worker image. The workerImage of the Helm chart when absent; that one must hold tasks, the plain worker image has none.',
    ),
  imagePullPolicy: z
    .enum(['Always', 'IfNotPresent', 'Never'])
    .exactOptional()
    .describe(
      "When nodes pull the image; Kubernetes' own rule when absent (Always for the tag latest, else IfNotPresent).",
    ),
  imagePullSecrets: z
    .array(
      z.strictObject({
        name: objectName().describe('Name of a Secret with registry credentials in this namespace.'),
      }),
    )
    .max(16)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
    .exactOptional()
    .describe('Secrets of this namespace with which nodes may pull the image.'),
  accelerator: acceleratorSchema
    .exactOptional()
    .describe(
      'Devices each pod gets, such as GPUs. Pods with an accelerator are replaced one after the other, since the devices are few.',
    ),
  resources: resourcesSchema.exactOptional().describe('CPU, memory and other resources of each worker pod.'),
  nodeSelector: z
    .record(labelKey(), labelValue())
    .meta({ maxProperties: 64 })
    .exactOptional()
    .describe('Labels that a node must carry to run these workers.'),
  tolerations: z.array(tolerationSchema).max(32).exactOptional().describe('Taints of nodes that these workers bear.'),
  serviceAccountName: objectName()
    .exactOptional()
    .describe("ServiceAccount of the worker pods. Without one they run as the namespace's default and get no token."),
  priorityClassName: objectName().exactOptional().describe('PriorityClass of the worker pods.'),
  runtimeClassName: objectName().exactOptional().describe('RuntimeClass of the worker pods, such as nvidia or gvisor.'),
  env: z
    .array(environmentVariableSchema)
    .max(200)
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] })
    .exactOptional()
    .describe('Environment variables of the workers, beside those that the operator sets.'),
} as const;
