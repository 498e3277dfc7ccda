import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { defaultPayloadLimits } from '#core/base/payload-limits.ts';
import { parseConfig } from '#operator/config.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8');
const environment = { ARPEGGIO_NAMESPACE: 'a', ARPEGGIO_POD_NAME: 'b', ARPEGGIO_WORKER_IMAGE: 'c' };

describe('the chart', () => {
  test('has the version of the product: images are tagged with it', () => {
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(load(read('charts', 'arpeggio', 'Chart.yaml'))).toMatchObject({ version, appVersion: version });
  });

  test('offers the log levels that the operator knows', () => {
    const schema = JSON.parse(read('charts', 'arpeggio', 'values.schema.json')) as {
      properties: { logLevel: { enum: string[] } };
    };
    for (const level of schema.properties.logLevel.enum) {
      expect(parseConfig({ ...environment, ARPEGGIO_LOG_LEVEL: level }).logLevel).toBe(level);
    }
  });

  test('bounds values as the operator does where nothing is set, and at the ends of what may be set', () => {
    const { payloads } = load(read('charts', 'arpeggio', 'values.yaml')) as { payloads: Record<string, number> };
    const { resultBytes, listBytes } = defaultPayloadLimits;
    expect(payloads).toEqual({ maxResultBytes: resultBytes, maxListBytes: listBytes });
    const schema = JSON.parse(read('charts', 'arpeggio', 'values.schema.json')) as {
      properties: { payloads: { properties: Record<string, { minimum: number; maximum: number }> } };
    };
    const { maxResultBytes, maxListBytes } = schema.properties.payloads.properties;
    const parsed = (end: 'minimum' | 'maximum', beyond = 0): unknown =>
      parseConfig({
        ...environment,
        ARPEGGIO_MAX_RESULT_BYTES: String(maxResultBytes?.[end]),
        ARPEGGIO_MAX_LIST_BYTES: String((maxListBytes?.[end] ?? 0) + beyond),
      }).payloadLimits;
    expect(parsed('minimum')).toEqual({ resultBytes: maxResultBytes?.minimum, listBytes: maxListBytes?.minimum });
    expect(parsed('maximum')).toEqual({ resultBytes: maxResultBytes?.maximum, listBytes: maxListBytes?.maximum });
    expect(() => parsed('minimum', -1)).toThrow('ARPEGGIO_MAX_LIST_BYTES');
    expect(() => parsed('maximum', 1)).toThrow('ARPEGGIO_MAX_LIST_BYTES');
  });

  test('says nothing to the operator that it does not read', () => {
    const names =
      read('charts', 'arpeggio', 'templates', 'operator', 'deployment.yaml').match(/ARPEGGIO_[A-Z_]+/g) ?? [];
    expect(names.length).toBeGreaterThan(8);
    const config = read('operator', 'config.ts');
    for (const name of names) expect(config).toContain(`'${name}'`);
  });
});
