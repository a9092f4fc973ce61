// A forward proxy for unit tests: in its network, names lead to addresses, and addresses to servers on loopback.
import { connect, type Socket } from 'node:net';
import { createHostConnects } from '../../authorization/decide/host-connects.ts';
import { sharedEngine } from '../../authorization/policy/engine.fixture.ts';
import { loadBuiltInPolicies, namePolicies } from '../../authorization/policy/policies.ts';
import { createIsPublic } from '../../contract/addresses.ts';
import { bareEntity } from '../../contract/entity.ts';
import type { NewRecord } from '../../contract/record.ts';
import { everywhere } from '../../contract/scope.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import { createForwardProxy, type ForwardProxy } from './forward.ts';
import type { ForwardLimits } from './limits.ts';

export const RUN = '0199c0de-0000-7000-8000-000000000001';
export const TOKEN = 'token-of-the-run';
export const PUBLIC = '93.184.216.34';
export const CREDENTIAL = `Basic ${Buffer.from(`run:${TOKEN}`).toString('base64')}`;
const POLICIES = `@id("team-a") permit (principal in Role::"run", action == Action::"services.connect", resource)
  when { principal has tags && principal.tags.contains("team-a") && context.facts has host && context.facts.host like "*.example.com" };`;

export interface World {
  readonly proxy: ForwardProxy;
  readonly port: number;
  readonly records: NewRecord[];
  /** The addresses of each name. */
  readonly names: Map<string, readonly string[]>;
  /** Runs before an allow is returned. */
  beforeAllow: () => Promise<unknown>;
  readonly dialled: string[];
  readonly looked: string[];
  /** The port on loopback behind `PUBLIC`. */
  server: number;
  tags: readonly string[];
  /** Of its deployment. */
  given: readonly string[];
  valid: boolean;
  expiresAtMs: number | null;
  allow: readonly string[];
  ledgerWorks: boolean;
  send(text: string): Promise<string>;
  open(): Promise<Socket>;
  close(): Promise<void>;
}

export async function startWorld(limits: Partial<ForwardLimits> = {}): Promise<World> {
  const records: NewRecord[] = [];
  const intents = new Map<string, NewRecord>();
  const names = new Map<string, readonly string[]>([['api.example.com', [PUBLIC]]]);
  const [dialled, looked]: [string[], string[]] = [[], []];
  const texts = { ...loadBuiltInPolicies(), ...Object.fromEntries(namePolicies(POLICIES, 'test')) };
  const policy = sharedEngine({ actions: collectActions(OPERATIONS), revision: 1, policies: texts });
  const state = {
    server: 0,
    tags: ['team-a'] as readonly string[],
    given: ['team-a'] as readonly string[],
    valid: true,
    expiresAtMs: null as number | null,
    ledgerWorks: true,
    beforeAllow: async (): Promise<unknown> => undefined,
    allow: ['*.example.com', 'other.test'] as readonly string[],
  };
  const connects = () =>
    createHostConnects({
      authenticator: {
        authenticate: async ({ authorization }) => {
          if (authorization === '') return { ok: false, reason: 'credential-missing', credentialId: null };
          if (!state.valid || (authorization !== CREDENTIAL && authorization !== `Bearer ${TOKEN}`))
            return { ok: false, reason: 'credential-unknown', credentialId: null };
          const principal = {
            id: `run:${RUN}`,
            kind: 'run',
            idp: null,
            roles: ['run'],
            grants: everywhere(['run']),
            groups: [],
            attributes: { flow_run_id: RUN },
            onBehalfOf: [],
          } as const;
          await state.beforeAllow();
          return {
            ok: true,
            principal,
            credential: { id: 'run-token:1', carrier: 'authorization', expiresAtMs: state.expiresAtMs, sessionId: null, alsoPresented: [] },
          };
        },
      },
      policy,
      entities: { find: async ({ type }) => bareEntity(type, { id: RUN, tags: type === 'Deployment' ? state.given : state.tags, deploymentId: RUN }) },
      allow: state.allow,
      changeNumber: async () => 1,
    });
  const need = () => {
    if (!state.ledgerWorks) throw new Error('ledger-unavailable');
  };
  const proxy = createForwardProxy({
    connects: { authorize: (inputs, destination) => connects().authorize(inputs, destination) },
    revision: () => 1,
    failClosed: () => true,
    avoid: () => ['prefect.internal', '127.0.0.1'],
    ledger: {
      append: async (record) => void records.push(record),
      intend: async (record) => {
        need();
        intents.set(record.request_id, record);
      },
      settle: async (id, outcome) => {
        const record = intents.get(id);
        if (record === undefined) throw new Error('no intent');
        records.push({ ...record, ...outcome });
      },
    },
    clock: Date.now,
    log: { warn: () => undefined },
    network: {
      lookup: async (host) => {
        looked.push(host);
        const found = names.get(host);
        if (found === undefined) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
        return found;
      },
      isPublic: createIsPublic(),
      ownAddresses: () => ['203.0.113.1', '8.8.4.4'],
      dial: (address, port) => {
        dialled.push(`${address}:${port}`);
        return connect({ host: '127.0.0.1', port: address === PUBLIC ? state.server : 1, allowHalfOpen: true });
      },
    },
    limits: { tickMs: 20, drainMs: 50, ...limits },
  });
  const port = await listenSomewhere(proxy);
  const open = () =>
    new Promise<Socket>((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true }, () => resolve(socket));
      socket.once('error', reject);
    });
  return Object.assign(state, {
    ...{ proxy, port, records, names, dialled, looked, open },
    send: async (text: string) => {
      const socket = await open();
      socket.write(text);
      return readAll(socket);
    },
    close: () => proxy.close(),
  });
}

/** All data until the other side ends. */
export function readAll(socket: Socket): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', () => undefined);
    socket.once('end', () => socket.end());
    socket.once('close', () => resolve(text));
    socket.resume();
  });
}

async function listenSomewhere(proxy: ForwardProxy): Promise<number> {
  const { createServer } = await import('node:net');
  const free = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? (address?.port ?? 0) : 0));
    });
  });
  (await proxy.prepare({ host: '127.0.0.1', port: free })).commit();
  return free;
}
