import type { V1KeyToPath, V1Volume } from '@kubernetes/client-node';

import type { Desired } from './desired.ts';

export const connectionVolumeName = 'connection';

/** Where workers find the connection Secret, a file for each key. */
export const connectionFolder = '/etc/arpeggio/connection';

/** The keys of a connection that are the workers' business: the operator's own accounts are not. */
export function buildConnectionVolume(secret: string): Desired<V1Volume> {
  return {
    name: connectionVolumeName,
    projected: {
      sources: [
        { secret: { name: secret, items: filesOf('broker', 'results') } },
        { secret: { name: secret, items: filesOf('keyPrefix'), optional: true } },
        { secret: { name: secret, items: filesOf('resultKeyPrefix'), optional: true } },
        { secret: { name: secret, items: filesOf('ca.crt'), optional: true } },
      ],
    },
  };
}

function filesOf(...keys: readonly string[]): readonly Desired<V1KeyToPath>[] {
  return keys.map((key) => ({ key, path: key }));
}
