import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ControlPlane } from './control-plane.ts';

const VOLUMES = 16;

/** A default StorageClass, and volumes that claims of it are bound to: folders that any user of any pod may write. */
export async function makeVolumes({ api, folder }: ControlPlane): Promise<void> {
  const storageClass = {
    metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
    reclaimPolicy: 'Retain',
  };
  await api.expect('POST', '/apis/storage.k8s.io/v1/storageclasses', storageClass);
  for (let i = 0; i < VOLUMES; i++) {
    const path = join(folder, 'volumes', `volume-${i}`);
    await mkdir(path, { recursive: true });
    await chmod(path, 0o777);
    const spec = {
      capacity: { storage: '10Gi' },
      accessModes: ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Retain',
      storageClassName: 'standard',
      hostPath: { path, type: 'Directory' },
    };
    await api.expect('POST', '/api/v1/persistentvolumes', { metadata: { name: `volume-${i}` }, spec });
  }
}
