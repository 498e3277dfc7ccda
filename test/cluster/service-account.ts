import { join } from 'node:path';
import { writeKubeconfig } from './certificates.ts';
import type { ControlPlane } from './control-plane.ts';

const TOKEN_SECONDS = 24 * 60 * 60;

/**
 * Writes a kubeconfig that speaks as a ServiceAccount, with a token the API server issued for a day, and returns its
 * path. The ServiceAccount must exist; its roles are all it may do.
 */
export async function serviceAccountKubeconfig(
  controlPlane: ControlPlane,
  namespace: string,
  name: string,
): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const body = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: { expirationSeconds: TOKEN_SECONDS },
  };
  const answer = (await controlPlane.api.expect('POST', path, body)) as { status: { token: string } };
  const file = join(controlPlane.folder, `serviceaccount-${namespace}-${name}.kubeconfig`);
  await writeKubeconfig(file, controlPlane.pki, controlPlane.server, { token: answer.status.token });
  return file;
}
