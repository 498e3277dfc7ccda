import { describe, expect, test } from 'vitest';
import { ConfigError, parseConfig } from '#operator/config.ts';

const least = { ARPEGGIO_NAMESPACE: 'arpeggio-system', ARPEGGIO_POD_NAME: 'op-1', ARPEGGIO_WORKER_IMAGE: 'worker:1' };

describe('the configuration', () => {
  test('has a default for all but who the operator is and what it runs', () => {
    expect(parseConfig(least)).toEqual({
      namespace: 'arpeggio-system',
      podName: 'op-1',
      leaseName: 'arpeggio-operator',
      watchNamespaces: [],
      allowedHosts: ['*'],
      sharedConnections: [],
      showResults: true,
      payloadLimits: { resultBytes: 1_048_576, listBytes: 16_777_216 },
      workerImage: 'worker:1',
      healthPort: 8081,
      logLevel: 'info',
    });
  });

  test.each([
    { name: 'ARPEGGIO_WATCH_NAMESPACES', value: 'a, b,', want: { watchNamespaces: ['a', 'b'] } },
    {
      name: 'ARPEGGIO_ALLOWED_HOSTS',
      value: 'redis.prod,*.example.com',
      want: { allowedHosts: ['redis.prod', '*.example.com'] },
    },
    {
      name: 'ARPEGGIO_SHARED_CONNECTIONS',
      value: 'a,b;c,d,e',
      want: {
        sharedConnections: [
          ['a', 'b'],
          ['c', 'd', 'e'],
        ],
      },
    },
    { name: 'ARPEGGIO_SHOW_RESULTS', value: 'false', want: { showResults: false } },
    {
      name: 'ARPEGGIO_MAX_RESULT_BYTES',
      value: '1024',
      want: { payloadLimits: { resultBytes: 1_024, listBytes: 16_777_216 } },
    },
    {
      name: 'ARPEGGIO_MAX_LIST_BYTES',
      value: '268435456',
      want: { payloadLimits: { resultBytes: 1_048_576, listBytes: 268_435_456 } },
    },
    { name: 'ARPEGGIO_HEALTH_PORT', value: '0', want: { healthPort: 0 } },
  ])('takes $name=$value', ({ name, value, want }) => {
    expect(parseConfig({ ...least, [name]: value })).toMatchObject(want);
  });

  test.each([
    { name: 'ARPEGGIO_NAMESPACE', value: undefined },
    { name: 'ARPEGGIO_POD_NAME', value: 'Not A Name' },
    { name: 'ARPEGGIO_WORKER_IMAGE', value: undefined },
    { name: 'ARPEGGIO_WATCH_NAMESPACES', value: 'a,B!' },
    { name: 'ARPEGGIO_SHARED_CONNECTIONS', value: 'alone' },
    { name: 'ARPEGGIO_SHOW_RESULTS', value: 'yes' },
    { name: 'ARPEGGIO_MAX_RESULT_BYTES', value: '1023' },
    { name: 'ARPEGGIO_MAX_RESULT_BYTES', value: '67108865' },
    { name: 'ARPEGGIO_MAX_RESULT_BYTES', value: '1Mi' },
    { name: 'ARPEGGIO_MAX_RESULT_BYTES', value: '' },
    { name: 'ARPEGGIO_MAX_LIST_BYTES', value: '268435457' },
    { name: 'ARPEGGIO_MAX_LIST_BYTES', value: '1.6777216e+07' },
    { name: 'ARPEGGIO_MAX_LIST_BYTES', value: '1048575' },
    { name: 'ARPEGGIO_HEALTH_PORT', value: '70000' },
    { name: 'ARPEGGIO_LOG_LEVEL', value: 'loud' },
  ])('names $name when it is $value', ({ name, value }) => {
    const parse = (): unknown => parseConfig({ ...least, [name]: value });
    expect(parse).toThrow(ConfigError);
    expect(parse).toThrow(name);
  });

  test('asks for a list that holds a result, and says of how much', () => {
    const wanted = { ARPEGGIO_MAX_RESULT_BYTES: '4096', ARPEGGIO_MAX_LIST_BYTES: '4095' };
    expect(() => parseConfig({ ...least, ...wanted })).toThrow(/ARPEGGIO_MAX_LIST_BYTES is 4095;.*4096, or more/);
    expect(parseConfig({ ...least, ...wanted, ARPEGGIO_MAX_LIST_BYTES: '4096' }).payloadLimits).toEqual({
      resultBytes: 4_096,
      listBytes: 4_096,
    });
  });
});
