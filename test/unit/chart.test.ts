import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '#operator/config.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8');

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
      const environment = { ARPEGGIO_NAMESPACE: 'a', ARPEGGIO_POD_NAME: 'b', ARPEGGIO_WORKER_IMAGE: 'c' };
      expect(parseConfig({ ...environment, ARPEGGIO_LOG_LEVEL: level }).logLevel).toBe(level);
    }
  });

  test('says nothing to the operator that it does not read', () => {
    const names =
      read('charts', 'arpeggio', 'templates', 'operator', 'deployment.yaml').match(/ARPEGGIO_[A-Z_]+/g) ?? [];
    expect(names.length).toBeGreaterThan(8);
    const config = read('operator', 'config.ts');
    for (const name of names) expect(config).toContain(`'${name}'`);
  });
});
