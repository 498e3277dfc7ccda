import { describe, expect, test } from 'vitest';
import type { WorkerPool, WorkerPoolSpec } from '#core/resources/worker-pool.ts';
import { buildDeployment } from '#operator/desired/deployment.ts';

function aPool(spec: Partial<WorkerPoolSpec> = {}): WorkerPool {
  return {
    apiVersion: 'arpeggio.dev/v1alpha1',
    kind: 'WorkerPool',
    metadata: {
      name: 'train',
      namespace: 'ml',
      uid: 'pool-uid',
      resourceVersion: '1',
      generation: 1,
      creationTimestamp: '2026-01-01T00:00:00Z',
    },
    spec: { queues: ['gpu'], runtime: 'TypeScript', image: 'img:1', concurrency: 2, drainTimeout: '1h', ...spec },
  };
}

const inputs = { replicas: 3, queueNames: ['gpu', 'gpu.fast'], connection: 'arpeggio', defaultImage: 'worker:0' };

function podOf(spec: Partial<WorkerPoolSpec> = {}, more: object = {}) {
  return buildDeployment(aPool(spec), { ...inputs, ...more }).spec.template.spec!;
}
function containerOf(spec: Partial<WorkerPoolSpec> = {}) {
  return podOf(spec).containers[0]!;
}

describe('the Deployment of a pool', () => {
  test('belongs to the pool, bears its name and asks for the pods that were decided on', () => {
    const { metadata, spec } = buildDeployment(aPool(), inputs);
    expect(metadata).toMatchObject({
      name: 'train',
      namespace: 'ml',
      ownerReferences: [{ uid: 'pool-uid', controller: true }],
    });
    expect(spec.replicas).toBe(3);
  });

  test('selects its pods by labels that all of them carry', () => {
    const { spec } = buildDeployment(aPool(), inputs);
    expect(spec.template.metadata?.labels).toMatchObject(spec.selector.matchLabels!);
  });

  test('meets the Pod Security level "restricted"', () => {
    const pod = podOf();
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 65_532,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    expect(pod.containers[0]?.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      runAsNonRoot: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(pod.volumes?.every((volume) => 'emptyDir' in volume || 'projected' in volume)).toBe(true);
  });

  test('tells the worker what it has to know, then what the author adds', () => {
    const env = containerOf({ env: [{ name: 'MODEL', value: 'x' }] }).env!;
    const values = Object.fromEntries(
      env.map(({ name, value, valueFrom }) => [name, value ?? valueFrom?.fieldRef?.fieldPath]),
    );
    expect(values).toEqual({
      ARPEGGIO_QUEUES: 'gpu,gpu.fast',
      ARPEGGIO_CONCURRENCY: '2',
      ARPEGGIO_POOL: 'train',
      ARPEGGIO_DRAIN_SECONDS: '3600',
      ARPEGGIO_CONNECTION_DIR: '/etc/arpeggio/connection',
      ARPEGGIO_POD_NAME: 'metadata.name',
      ARPEGGIO_POD_UID: 'metadata.uid',
      ARPEGGIO_POD_NAMESPACE: 'metadata.namespace',
      MODEL: 'x',
    });
  });

  test('gives pods the keys of the connection that are theirs, and none of the operator', () => {
    const volume = podOf().volumes?.find(({ name }) => name === 'connection');
    const files = volume?.projected?.sources?.flatMap(({ secret }) => secret?.items?.map(({ key }) => key) ?? []);
    expect(files).toEqual(['broker', 'results', 'keyPrefix', 'resultKeyPrefix', 'ca.crt']);
  });

  test.each([
    { why: 'the image that the pool names', spec: { image: 'img:1' }, want: 'img:1' },
    {
      why: "the chart's image when the pool names none",
      spec: { image: undefined as unknown as string },
      want: 'worker:0',
    },
  ])('runs $why', ({ spec, want }) => {
    expect(containerOf(spec).image).toBe(want);
  });

  test('leaves pods the time to drain, and a little to hand back the rest', () => {
    expect(podOf({ drainTimeout: '90s' }).terminationGracePeriodSeconds).toBe(105);
  });

  test('has no readiness probe, which work could fail', () => {
    expect(containerOf()).not.toHaveProperty('readinessProbe');
  });

  test.each([
    { why: 'none by default', spec: {}, want: false },
    { why: 'that of the account named', spec: { serviceAccountName: 'trainer' }, want: true },
  ])('gives pods a token of the Kubernetes API: $why', ({ spec, want }) => {
    expect(podOf(spec).automountServiceAccountToken).toBe(want);
  });

  test('replaces its pods when the connection says something else', () => {
    const templates = ['uid/1', 'uid/2'].map(
      (connectionVersion) => buildDeployment(aPool(), { ...inputs, connectionVersion }).spec.template,
    );
    expect(templates[0]).not.toEqual(templates[1]);
  });
});

describe('an accelerator', () => {
  const accelerator = { resource: 'nvidia.com/gpu', count: 2, products: ['NVIDIA-L4', 'NVIDIA-A10'] };

  test('is a limit of the container beside the others', () => {
    const { resources } = containerOf({ accelerator, resources: { limits: { memory: '1Gi' }, requests: { cpu: 1 } } });
    expect(resources).toEqual({ limits: { memory: '1Gi', 'nvidia.com/gpu': '2' }, requests: { cpu: '1' } });
  });

  test('brings pods to nodes with one of its models', () => {
    const terms = podOf({ accelerator }).affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
    expect(terms?.nodeSelectorTerms).toEqual([
      { matchExpressions: [{ key: 'nvidia.com/gpu.product', operator: 'In', values: ['NVIDIA-L4', 'NVIDIA-A10'] }] },
    ]);
  });

  test.each([
    {
      why: 'is borne without being written',
      tolerations: undefined,
      want: [{ key: 'nvidia.com/gpu', operator: 'Exists' }],
    },
    {
      why: 'is not written twice',
      tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists' as const }],
      want: [{ key: 'nvidia.com/gpu', operator: 'Exists' }],
    },
    {
      why: 'stands beside the others',
      tolerations: [{ key: 'spot', operator: 'Exists' as const }],
      want: [
        { key: 'spot', operator: 'Exists' },
        { key: 'nvidia.com/gpu', operator: 'Exists' },
      ],
    },
  ])('has a taint that $why', ({ tolerations, want }) => {
    expect(podOf({ accelerator, ...(tolerations && { tolerations }) }).tolerations).toEqual(want);
  });

  test.each([
    {
      why: 'frees its device before a new pod wants it',
      spec: { accelerator },
      want: { maxSurge: 0, maxUnavailable: 1 },
    },
    { why: 'is no reason for others to go without pods', spec: {}, want: { maxSurge: '25%', maxUnavailable: '25%' } },
  ])('$why', ({ spec, want }) => {
    expect(buildDeployment(aPool(spec), inputs).spec.strategy?.rollingUpdate).toEqual(want);
  });
});
