// The pod of a rendered Deployment as processes of this machine: its arguments, user, volumes, read-only root and probes, as a kubelet would set them. Root only.
// Not checked here: the image, seccomp, and the limits of resources.
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { dirname, join } from 'node:path';
import { type KubernetesObject, objectOf, type Rendered } from './chart.ts';
import { childrenOf, type Finished, type Running, run, signalProcess, start, waitFor } from './process.ts';

export interface PodOptions {
  readonly rendered: Rendered;
  /** Has its root and its volumes. A second pod of the same directory has the same claim. */
  readonly directory: string;
  /** The tree of a release, with its Node as bin/node. */
  readonly program: string;
  /** Contents of Secrets, by name and key. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Changes the text of the ConfigMap: free ports, addresses. */
  readonly place: (text: string) => string;
  /** Where the container port is on this machine. */
  readonly port: number;
}

export interface Pod {
  /** The status that a probe gets, or that another request gets at the pod's address. Undefined: no answer. */
  probe(kind: 'startupProbe' | 'readinessProbe' | 'livenessProbe', headers?: Record<string, string>): Promise<number | undefined>;
  ask(path: string, headers: Record<string, string>): Promise<number | undefined>;
  /** `kubectl exec`. */
  exec(...words: string[]): Promise<Finished>;
  /** Waits until the startup probe succeeds. */
  started(): Promise<void>;
  output(): string;
  /** SIGTERM; answers the exit status. */
  stop(): Promise<number | null>;
  exited: Running['exited'];
}

interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string; readonly items: readonly { readonly key: string; readonly path: string }[] };
  readonly secret?: { readonly secretName: string; readonly defaultMode: number };
  readonly emptyDir?: object;
  readonly persistentVolumeClaim?: object;
}

interface Mount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly?: boolean;
}

export async function startPod(options: PodOptions): Promise<Pod> {
  const { spec } = objectOf(options.rendered, 'Deployment').spec.template;
  const [container] = spec.containers;
  const mounts: readonly Mount[] = container.volumeMounts;
  for (const volume of spec.volumes) fillVolume(volume, options, spec.securityContext.fsGroup);
  const user = asUser(spec.securityContext);
  const script = [...rootOf(options), ...mounts.map((mount) => bind(mount, options)), 'mount -o remount,bind,ro "$ROOT"', `exec chroot "$ROOT" ${user} "$@"`];
  const running = await start({
    name: 'the pod',
    command: 'unshare',
    args: ['--mount', '--pid', '--fork', '--kill-child', 'sh', '-euc', script.join('\n'), 'sh', 'lictor', ...container.args],
    env: { PATH: '/opt/bin:/usr/sbin:/usr/bin:/sbin:/bin', ROOT: join(options.directory, 'root'), HOME: '/var/lib/lictor' },
  });
  await waitFor(() => childrenOf(running.pid).length > 0, { what: 'the first process of the pod' });
  const [first = 0] = childrenOf(running.pid);
  const ask = (scheme: string, path: string, headers: Record<string, string>) =>
    statusOf(`${scheme.toLowerCase()}://127.0.0.1:${options.port}${path}`, headers);
  const probe: Pod['probe'] = (kind, headers) => {
    const { scheme, path, httpHeaders } = container[kind].httpGet;
    return ask(scheme, path, headers ?? Object.fromEntries(httpHeaders.map(({ name, value }: { name: string; value: string }) => [name, value])));
  };
  return {
    probe,
    ask: (path, headers) => ask(container.readinessProbe.httpGet.scheme, path, headers),
    exec: (...words) => {
      const args = ['--target', String(first), '--mount', '--pid', '--root', '--wdns=/', ...user.split(' '), ...words];
      return run({
        name: `exec ${words.join(' ')}`,
        command: 'nsenter',
        args,
        env: { PATH: '/opt/bin:/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/var/lib/lictor' },
      });
    },
    started: async () => void (await waitFor(async () => (await probe('startupProbe')) === 200, { what: 'the startup probe', timeoutMs: 120_000 })),
    output: running.output,
    stop: async () => {
      signalProcess(first, 'SIGTERM');
      return (await running.exited).code;
    },
    exited: running.exited,
  };
}

/** A root with the programs of this machine, and nothing else that the image has not. */
function rootOf({ directory, program }: PodOptions): readonly string[] {
  const root = join(directory, 'root');
  const rest = ['etc', 'dev', 'proc', 'usr', 'opt/lictor', 'opt/bin', 'tmp', 'run', 'var/lib/lictor'];
  for (const name of rest) mkdirSync(join(root, name), { recursive: true, mode: 0o755 });
  for (const name of ['bin', 'sbin', 'lib', 'lib64'])
    if (lstatSync(join(root, name), { throwIfNoEntry: false }) === undefined) symlinkSync(`usr/${name}`, join(root, name));
  writeFileSync(join(root, 'etc/passwd'), 'lictor:x:65532:65532::/var/lib/lictor:/usr/sbin/nologin\n');
  writeFileSync(join(root, 'opt/bin/lictor'), '#!/bin/sh\nexec /opt/lictor/lictor --config /etc/lictor/lictor.yaml --state-dir /var/lib/lictor "$@"\n', {
    mode: 0o755,
  });
  return [
    'mount --make-rprivate /',
    'mount --bind "$ROOT" "$ROOT"',
    'mount --bind /usr "$ROOT/usr"',
    `mount --bind '${program}' "$ROOT/opt/lictor"`,
    'mount --rbind /dev "$ROOT/dev"',
    'mount -t proc proc "$ROOT/proc"',
    // As container engines mount it.
    'mount -t tmpfs -o size=64m,mode=1777,nosuid,nodev,noexec shm "$ROOT/dev/shm"',
  ];
}

function bind({ name, mountPath, readOnly }: Mount, { directory }: PodOptions): string {
  mkdirSync(join(directory, 'root', mountPath), { recursive: true });
  const target = `"$ROOT${mountPath}"`;
  return `mount --bind '${join(directory, 'volumes', name)}' ${target}${readOnly === true ? ` && mount -o remount,bind,ro ${target}` : ''}`;
}

function asUser({ runAsUser, runAsGroup, fsGroup }: { runAsUser: number; runAsGroup: number; fsGroup: number }): string {
  return `setpriv --reuid ${runAsUser} --regid ${runAsGroup} --groups ${fsGroup} --no-new-privs --bounding-set -all --inh-caps -all`;
}

function fillVolume(volume: Volume, { directory, rendered, secrets, place }: PodOptions, fsGroup: number): void {
  const root = join(directory, 'volumes', volume.name);
  if (existsSync(root) && volume.persistentVolumeClaim !== undefined) return;
  mkdirSync(root, { recursive: true });
  if (volume.secret !== undefined) writeFiles(root, secrets[volume.secret.secretName] ?? {}, { mode: volume.secret.defaultMode, fsGroup });
  if (volume.configMap !== undefined)
    writeFiles(root, filesOf(objectOf(rendered, 'ConfigMap', volume.configMap.name), volume, place), { mode: 0o644, fsGroup });
  chownSync(root, 0, fsGroup);
  // An emptyDir is open to all. A claim is open to the group.
  chmodSync(root, volume.emptyDir === undefined ? 0o2775 : 0o2777);
}

function filesOf({ data }: KubernetesObject, { configMap }: Volume, place: PodOptions['place']): Record<string, string> {
  return Object.fromEntries((configMap?.items ?? []).map(({ key, path }) => [path, place(data?.[key] ?? '')]));
}

/** Files behind links, so that a kubelet can replace all at once. */
function writeFiles(root: string, files: Readonly<Record<string, string>>, { mode, fsGroup }: { readonly mode: number; readonly fsGroup: number }): void {
  if (!existsSync(join(root, '..data'))) symlinkSync('..first', join(root, '..data'));
  for (const [name, text] of Object.entries(files)) {
    const [top = ''] = name.split('/');
    const file = join(root, '..first', name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    chownSync(file, 0, fsGroup);
    chmodSync(file, mode);
    if (!existsSync(join(root, top))) symlinkSync(`..data/${top}`, join(root, top));
  }
}

/** A kubelet accepts any certificate. */
function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest;
  return new Promise((resolve) => {
    request(url, { headers, rejectUnauthorized: false, timeout: 5_000 }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .once('error', () => resolve(undefined))
      .end();
  });
}
