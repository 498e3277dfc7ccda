import { setTimeout as sleep } from 'node:timers/promises';
import type { KubeApi } from '../../../test/cluster/kube-api.ts';
import { chainOf, chordOf } from '../canvases.ts';
import type { Row } from '../row.ts';

const times = 10;
/** Events are written a moment after what they tell of. */
const SETTLE_MS = 1500;

/** What one Workflow costs the API server: every write about it, Events counted, the user's own POST not. */
export const writesRow: Row = {
  id: 'writes',
  figures: () => [
    { key: 'chain', what: 'API writes per workflow, chain of 10', unit: '', better: 'Lower', target: 2.01 },
    { key: 'chord', what: 'API writes per workflow, chord of 1,000', unit: '', better: 'Lower', target: 5.01 },
    { key: 'failing', what: 'API writes per workflow, chain of 10 that fails', unit: '', better: 'Lower' },
  ],
  ours: async ({ api, feed }) => {
    const write = async (name: string, spec: object): Promise<number> => {
      const before = await writes(api);
      for (let index = 0; index < times; index += 1) {
        await feed.create(`${name}-${index}`, spec);
        await feed.ended(`${name}-${index}`, 60_000);
      }
      await sleep(SETTLE_MS);
      return ((await writes(api)) - before) / times - 1;
    };
    return {
      chain: await write('writes-chain', chainOf(10)),
      chord: await write('writes-chord', chordOf(1000)),
      failing: await write('writes-failing', { chain: [{ task: 'nobody_knows_this' }, chainOf(9)] }),
    };
  },
};

/** Writes of Workflows and of Events that the API server has answered, by its own count. */
async function writes(api: KubeApi): Promise<number> {
  const { body } = await api.call('GET', '/metrics');
  let sum = 0;
  for (const line of String(body).split('\n')) {
    if (!line.startsWith('apiserver_request_total{')) continue;
    if (!/resource="(workflows|events)"/.test(line) || !/verb="(POST|PUT|PATCH|APPLY|DELETE)"/.test(line)) continue;
    sum += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return sum;
}
