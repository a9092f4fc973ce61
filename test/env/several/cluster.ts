// Several nodes of one gateway behind a real HAProxy with the configuration of docs/how-to/postgres.md.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { logIn, type Session } from '../browser-session.ts';
import { docsBlock } from '../docs.ts';
import { freePort } from '../free-port.ts';
import { type Account, type Gateway, type GatewayOptions, startGateway } from '../gateway.ts';
import { type Running, run, start } from '../process.ts';

export interface ClusterOptions {
  /** The Prefect servers behind all nodes. */
  readonly upstream: { readonly urls: readonly string[]; readonly authString: string };
  /** `postgres://...`, of an empty database. */
  readonly store: string;
  /** The names of the nodes. The first one creates the keys. */
  readonly names: readonly string[];
  /** Further keys of each lictor.yaml. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** What only one node has. */
  readonly only?: (name: string) => Pick<GatewayOptions, 'env' | 'inside' | 'program'>;
}

export interface Cluster {
  /** Through HAProxy, `http://localhost:PORT`. */
  readonly url: string;
  readonly port: number;
  readonly nodes: readonly Gateway[];
  node(name: string): Gateway;
  login(account: Account): Promise<Session>;
  close(): Promise<void>;
}

/** Resolves when HAProxy has every node. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const port = await freePort();
  const url = `http://localhost:${port}`;
  const nodes: Gateway[] = [];
  let balancer: Running | undefined;
  const close = async (): Promise<void> => {
    await balancer?.stop();
    for (const node of nodes) await node.close();
  };
  try {
    const [first = '', ...others] = options.names;
    nodes.push(await startNode(options, { name: first, url }));
    const sealKey = join(nodes[0]?.stateDir ?? '', 'keys', 'seal.key');
    nodes.push(...(await Promise.all(others.map((name) => startNode(options, { name, url, sealKey })))));
    balancer = await startBalancer({ port, to: nodes.map((node) => node.port) });
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url,
    port,
    nodes,
    close,
    login: (account) => logIn(url, account),
    node(name) {
      const found = nodes[options.names.indexOf(name)];
      if (found === undefined) throw new Error(`no node ${name}`);
      return found;
    },
  };
}

interface NodePlace {
  readonly name: string;
  /** Of the whole gateway. */
  readonly url: string;
  /** Of another node. */
  readonly sealKey?: string;
}

function startNode({ upstream, store, config, only }: ClusterOptions, { name, url, sealKey }: NodePlace): Promise<Gateway> {
  const own = only?.(name) ?? {};
  return startGateway({
    ...own,
    upstream: { url: upstream.urls[0] ?? '', authString: upstream.authString },
    async yaml({ url: ownUrl, stateDir: directory }) {
      const keys = join(own.inside?.stateDir ?? directory, 'keys');
      if (sealKey !== undefined) await must(own.inside?.command ?? [], ['sh', '-euc', 'mkdir -m 700 "$1"; cp "$2" "$1"', 'sh', keys, sealKey]);
      return stringify({
        ...{ public_url: url, listen: `127.0.0.1:${new URL(ownUrl).port}`, trusted_proxies: ['127.0.0.1'] },
        prefect: { servers: upstream.urls, auth_string_file: join(directory, 'prefect-auth') },
        ...{ node: name, store, identity_providers: [{ id: 'local', type: 'accounts' }], ...config },
      });
    },
  });
}

/** `inside`: what runs the command where the state directory is visible. */
async function must(inside: readonly string[], command: readonly string[]): Promise<void> {
  const [program = '', ...args] = [...inside, ...command];
  const { code, output } = await run({ name: 'place the key', command: program, args, env: { PATH: process.env['PATH'] } });
  if (code !== 0) throw new Error(output);
}

/** HAProxy of the page, on plain http: with a server for each node in the place of those of the page. */
async function startBalancer({ port, to }: { readonly port: number; readonly to: readonly number[] }): Promise<Running> {
  const servers = (first: string): string =>
    to.map((node, index) => first.replace('server n1 10.0.0.1:8200', `server n${index + 1} 127.0.0.1:${node}`)).join('');
  const page = docsBlock('how-to/postgres.md', 'defaults')
    .replace('bind :443 ssl crt /etc/haproxy/prefect.pem', `bind 127.0.0.1:${port}`)
    .replaceAll('prefect.example.com', `localhost:${port}`)
    .replaceAll(/^ +server n[23] .*\n/gm, '')
    .replaceAll(/^ +server n1 .*\n/gm, servers);
  const directory = mkdtempSync(join(tmpdir(), 'lictor-test-balancer-'));
  const file = join(directory, 'haproxy.cfg');
  writeFileSync(file, page);
  const ready = async (): Promise<boolean> => (await fetch(`http://localhost:${port}/.lictor/ready`)).ok;
  const running = await start({ name: 'HAProxy in front', command: 'haproxy', args: ['-db', '-f', file], env: process.env, ready });
  return { ...running, stop: (options) => running.stop(options).finally(() => rmSync(directory, { recursive: true, force: true })) };
}
