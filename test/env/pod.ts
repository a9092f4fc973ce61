// The pod of a rendered Deployment or StatefulSet as containers of this machine: arguments, user, volumes and probes, as a kubelet would set them. Root only.
import { chmodSync, chownSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { dirname, join } from 'node:path';
import { type KubernetesObject, objectOf, type Rendered } from './chart.ts';
import { type Container, type ContainerOptions, startContainer } from './container/container.ts';
import { waitFor } from './process.ts';

/** `directory` has the volumes too. A second pod of the same directory has the same claim. */
export interface PodOptions extends Pick<ContainerOptions, 'directory' | 'program' | 'hosts' | 'network'> {
  readonly rendered: Rendered;
  /** Of a StatefulSet: its host name too. */
  readonly name?: string;
  /** In place of that of the manifest. */
  readonly command?: readonly string[];
  /** Contents of Secrets, by name and key. */
  readonly secrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Changes the text of the ConfigMap: free ports, addresses. */
  readonly place: (text: string) => string;
  /** Where the container port is on this machine. */
  readonly port: number;
}

export interface Pod extends Container {
  readonly port: number;
  /** The status that a probe gets, or that another request gets at the pod's address. Undefined: no answer. */
  probe(kind: 'startupProbe' | 'readinessProbe' | 'livenessProbe', headers?: Record<string, string>): Promise<number | undefined>;
  ask(path: string, headers: Record<string, string>): Promise<number | undefined>;
  /** Waits until the startup probe succeeds. */
  started(): Promise<void>;
  /** SIGTERM; answers the exit status. */
  stop(): Promise<number | null>;
}

interface Volume {
  readonly name: string;
  readonly configMap?: { readonly name: string; readonly items: readonly { readonly key: string; readonly path: string }[] };
  readonly secret?: { readonly secretName: string; readonly defaultMode: number };
  readonly emptyDir?: object;
  readonly persistentVolumeClaim?: object;
}

export async function startPod(options: PodOptions): Promise<Pod> {
  const { spec, volumes } = templateOf(options);
  const [container] = spec.containers;
  for (const volume of volumes) fillVolume(volume, options, spec.securityContext.fsGroup);
  for (const first of spec.initContainers ?? []) {
    const { exited, output } = await startIn(options, first, first.command);
    if ((await exited).code !== 0) throw new Error(`${first.name}: ${output()}`);
  }
  const running = await startIn(options, container, options.command ?? ['lictor', ...container.args]);
  const ask = (scheme: string, path: string, headers: Record<string, string>) =>
    statusOf(`${scheme.toLowerCase()}://127.0.0.1:${options.port}${path}`, headers);
  const probe: Pod['probe'] = (kind, headers) => {
    const { scheme, path, httpHeaders } = container[kind].httpGet;
    return ask(scheme, path, headers ?? Object.fromEntries(httpHeaders.map(({ name, value }: { name: string; value: string }) => [name, value])));
  };
  return {
    ...running,
    port: options.port,
    probe,
    ask: (path, headers) => ask(container.readinessProbe.httpGet.scheme, path, headers),
    started: async () => void (await waitFor(async () => (await probe('startupProbe')) === 200, { what: 'the startup probe', timeoutMs: 120_000 })),
    stop: async () => {
      running.signal('SIGTERM');
      return (await running.exited).code;
    },
  };
}

/** The pod of a Deployment or of a StatefulSet, whose claims are volumes too. */
function templateOf({ rendered }: PodOptions) {
  const kind = rendered.objects.some((object) => object.kind === 'StatefulSet') ? 'StatefulSet' : 'Deployment';
  const { template, volumeClaimTemplates = [] } = objectOf(rendered, kind).spec;
  const claims: readonly Volume[] = volumeClaimTemplates.map(({ metadata }: KubernetesObject) => ({ name: metadata.name, persistentVolumeClaim: {} }));
  const volumes: readonly Volume[] = [...template.spec.volumes, ...claims];
  return { spec: template.spec, volumes };
}

interface ContainerSpec {
  readonly name: string;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean }[];
}

function startIn(options: PodOptions, { name, volumeMounts }: ContainerSpec, command: readonly string[]): Promise<Container> {
  const { runAsUser: uid, runAsGroup: gid, fsGroup: group } = templateOf(options).spec.securityContext;
  const mounts = volumeMounts.map(({ name: volume, mountPath: to, readOnly = false }) => ({ from: join(options.directory, 'volumes', volume), to, readOnly }));
  return startContainer({
    ...options,
    name: options.name ?? name,
    mounts,
    command,
    user: { uid, gid, group },
    ...(options.name !== undefined && { hostname: options.name }),
  });
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
export function statusOf(url: string, headers: Record<string, string>): Promise<number | undefined> {
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
