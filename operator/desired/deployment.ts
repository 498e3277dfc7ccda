import type {
  V1Container,
  V1DeploymentSpec,
  V1OwnerReference,
  V1PodSpec,
  V1PodTemplateSpec,
} from '@kubernetes/client-node';
import { apiVersion } from '#core/resources/api-group.ts';
import { defined } from '#core/base/defined.ts';
import { parseDurationMs } from '#core/base/duration.ts';
import type { WorkerPool } from '#core/resources/worker-pool.ts';
import type { Desired } from './desired.ts';
import { labelsOfPool, selectorOfPool } from './labels.ts';
import { buildAffinity, buildResources, buildTolerations } from './placement.ts';
import { buildConnectionVolume, connectionFolder, connectionVolumeName } from './connection-volume.ts';
import { buildEnvironment } from './worker-environment.ts';

/** What a Deployment needs to know beside its pool. */
export interface DeploymentInputs {
  readonly replicas: number;
  /** The image when the pool names none. */
  readonly defaultImage: string;
  /** Names on the wire of the queues to serve. */
  readonly queueNames: readonly string[];
  /** The connection Secret. */
  readonly connection: string;
  /** Of that Secret: pods are replaced when it changes. Absent until it was first read. */
  readonly connectionVersion?: string;
}

export interface DesiredDeployment {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly ownerReferences: readonly Desired<V1OwnerReference>[];
  };
  readonly spec: Desired<V1DeploymentSpec>;
}

/** The user of our worker image; images made FROM it need no other. */
const workerUser = 65_532;
const tmpVolumeName = 'tmp';
const healthPort = 8080;
/** Beyond `drainTimeout`, for handing back what did not finish. */
const handBackSeconds = 15;

/** Where a pod template notes for which version of the connection Secret it was made. */
export const connectionVersionAnnotation = 'arpeggio.dev/connection-version';

/** Everything we claim about the Deployment of a pool, and nothing else: unlisted fields stay the cluster's. */
export function buildDeployment(pool: WorkerPool, inputs: DeploymentInputs): DesiredDeployment {
  const { name, namespace, uid } = pool.metadata;
  return {
    metadata: {
      name,
      namespace,
      labels: labelsOfPool(name),
      ownerReferences: [{ apiVersion, kind: 'WorkerPool', name, uid, controller: true, blockOwnerDeletion: true }],
    },
    spec: {
      replicas: inputs.replicas,
      revisionHistoryLimit: 3,
      selector: { matchLabels: selectorOfPool(name) },
      strategy: { type: 'RollingUpdate', rollingUpdate: rollingUpdateOf(pool) },
      template: buildTemplate(pool, inputs),
    },
  };
}

/** Devices are few: a new pod that waits for one held by an old pod would wait for ever. */
function rollingUpdateOf({ spec }: WorkerPool): { maxSurge: number | string; maxUnavailable: number | string } {
  return spec.accelerator === undefined
    ? { maxSurge: '25%', maxUnavailable: '25%' }
    : { maxSurge: 0, maxUnavailable: 1 };
}

function buildTemplate(pool: WorkerPool, inputs: DeploymentInputs): Desired<V1PodTemplateSpec> {
  const { connectionVersion } = inputs;
  return {
    metadata: {
      labels: labelsOfPool(pool.metadata.name),
      ...(connectionVersion === undefined ? {} : { annotations: { [connectionVersionAnnotation]: connectionVersion } }),
    },
    spec: buildPodSpec(pool, inputs),
  };
}

function buildPodSpec(pool: WorkerPool, inputs: DeploymentInputs): Desired<V1PodSpec> {
  const { spec } = pool;
  const { serviceAccountName, priorityClassName, runtimeClassName, nodeSelector, imagePullSecrets } = spec;
  const tolerations = buildTolerations(spec);
  const affinity = buildAffinity(spec);
  return {
    // Tasks have no business with the Kubernetes API, unless an account of their own was named for them.
    automountServiceAccountToken: serviceAccountName !== undefined,
    enableServiceLinks: false,
    terminationGracePeriodSeconds: drainSecondsOf(pool) + handBackSeconds,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: workerUser,
      runAsGroup: workerUser,
      fsGroup: workerUser,
      seccompProfile: { type: 'RuntimeDefault' },
    },
    ...defined({ serviceAccountName, priorityClassName, runtimeClassName, nodeSelector, imagePullSecrets, affinity }),
    ...(tolerations.length === 0 ? {} : { tolerations }),
    containers: [buildContainer(pool, inputs)],
    volumes: [{ name: tmpVolumeName, emptyDir: {} }, buildConnectionVolume(inputs.connection)],
  };
}

function buildContainer(pool: WorkerPool, inputs: DeploymentInputs): Desired<V1Container> {
  const { spec } = pool;
  const environment = { queueNames: inputs.queueNames, drainSeconds: drainSecondsOf(pool) };
  return {
    name: 'worker',
    image: spec.image ?? inputs.defaultImage,
    ...defined({ imagePullPolicy: spec.imagePullPolicy, resources: buildResources(spec) }),
    env: buildEnvironment(pool, environment),
    ports: [{ name: 'health', containerPort: healthPort }],
    // There is no readiness probe, for a ReplicaSet removes pods that are not ready first, the busiest, say. And five
    // minutes of one task that lets nothing else run must not look like death.
    livenessProbe: {
      httpGet: { path: '/healthz', port: healthPort },
      periodSeconds: 30,
      timeoutSeconds: 5,
      failureThreshold: 10,
    },
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
    },
    volumeMounts: [
      { name: tmpVolumeName, mountPath: '/tmp' },
      { name: connectionVolumeName, mountPath: connectionFolder, readOnly: true },
    ],
  };
}

/** The admission rules let nothing but a duration through. */
function drainSecondsOf({ spec }: WorkerPool): number {
  return Math.ceil((parseDurationMs(spec.drainTimeout) ?? 0) / 1000);
}
