import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findProgram, runCommand, tryCommand } from './command.ts';
import { until } from './kube-api.ts';
import { tailOf, type Launcher } from './processes.ts';
import type { NodeName, Slot } from './slot.ts';

/** The container that holds a pod's namespaces; made by us, so that it need not be pulled. */
export const PAUSE_IMAGE = 'arpeggio.dev/pause:1';

const CNI_FOLDERS = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'];

export function socketOf(slot: Slot, node: NodeName): string {
  return join(slot.runFolder, node, 'containerd.sock');
}

/** Starts a containerd of this node's own: root, state, socket and networks are not the machine's. */
export async function startContainerd(
  launcher: Launcher,
  slot: Slot,
  node: NodeName,
  snapshotter: string,
): Promise<void> {
  const home = join(launcher.folder, 'nodes', node);
  const run = join(slot.runFolder, node);
  await mkdir(join(home, 'cni'), { recursive: true });
  await mkdir(run, { recursive: true });
  await writeFile(join(home, 'cni', '10-arpeggio.conflist'), JSON.stringify(networkOf(slot, node, run), null, 2));
  await writeFile(
    join(home, 'containerd.toml'),
    configuration({ home, run, socket: socketOf(slot, node), snapshotter }),
  );
  const name = `containerd-${node}`;
  const containerd = findProgram('containerd') ?? 'containerd';
  launcher.launch({
    name,
    command: containerd,
    args: ['--config', join(home, 'containerd.toml')],
    network: slot.network,
  });
  await until(`containerd of node ${node} answers`, 120_000, async () => {
    return (await tryCommand('ctr', ['--address', socketOf(slot, node), 'version'])).code === 0;
  }).catch((error: unknown) => {
    throw new Error(
      `${error instanceof Error ? error.message : String(error)}; it says:\n${tailOf(launcher.folder, name)}`,
    );
  });
}

/** Puts every image of a docker or OCI archive into this node's containerd; the names they have there. */
export async function importImage(slot: Slot, node: NodeName, archive: string): Promise<readonly string[]> {
  const address = ['--address', socketOf(slot, node), '--namespace', 'k8s.io'];
  const said = await runCommand('ctr', [...address, 'images', 'import', archive]);
  return [...said.matchAll(/^unpacking (\S+)/gm)].map(([, name = '']) => name);
}

/** Routed, not bridged: every packet between pods passes the rules that make Services work. */
function networkOf(slot: Slot, node: NodeName, run: string): object {
  const ipam = {
    type: 'host-local',
    ranges: [[{ subnet: slot.podRange[node] }]],
    routes: [{ dst: '0.0.0.0/0' }],
    dataDir: join(run, 'addresses'),
  };
  return {
    cniVersion: '0.4.0',
    name: `${slot.network}-${node}`,
    plugins: [
      { type: 'ptp', ipMasq: false, ipam },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

type Places = { readonly home: string; readonly run: string; readonly socket: string; readonly snapshotter: string };

function configuration({ home, run, socket, snapshotter }: Places): string {
  const cri = 'plugins."io.containerd.grpc.v1.cri"';
  const unused = [
    'snapshotter.v1.zfs',
    'snapshotter.v1.btrfs',
    'snapshotter.v1.devmapper',
    'snapshotter.v1.aufs',
    'internal.v1.opt',
  ];
  return `version = 2
root = "${join(home, 'containerd')}"
state = "${join(run, 'containerd')}"
disabled_plugins = [${unused.map((name) => `"io.containerd.${name}"`).join(', ')}]

[grpc]
  address = "${socket}"

[${cri}]
  sandbox_image = "${PAUSE_IMAGE}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true

[${cri}.cni]
  bin_dir = "${cniFolder()}"
  conf_dir = "${join(home, 'cni')}"

[${cri}.containerd]
  snapshotter = "${snapshotter}"
  default_runtime_name = "runc"

[${cri}.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[${cri}.containerd.runtimes.runc.options]
  SystemdCgroup = false
  Root = "${join(run, 'runc')}"
`;
}

function cniFolder(): string {
  const found = CNI_FOLDERS.find((folder) => existsSync(join(folder, 'ptp')));
  if (found === undefined)
    throw new Error(`no CNI plugins in ${CNI_FOLDERS.join(', ')}: install the package containernetworking-plugins`);
  return found;
}

/** What containerd's helpers leave at places of their own: shims' sockets and the networks' results. */
export async function removeContainerdTraces(slot: Slot): Promise<void> {
  for (const node of ['cpu', 'gpu'] as const) {
    const tasks = join(slot.runFolder, node, 'containerd', 'io.containerd.runtime.v2.task', 'k8s.io');
    for (const id of await entriesOf(tasks)) {
      const address = await readFile(join(tasks, id, 'address'), 'utf8').catch(() => '');
      if (address.startsWith('unix:///run/containerd/s/')) await rm(address.slice('unix://'.length), { force: true });
    }
  }
  const results = '/var/lib/cni/results';
  const ours = (await entriesOf(results)).filter(
    (name) => name.startsWith(`${slot.network}-cpu-`) || name.startsWith(`${slot.network}-gpu-`),
  );
  await Promise.all(ours.map((name) => rm(join(results, name), { force: true })));
}

async function entriesOf(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
