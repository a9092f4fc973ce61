// For the unit tests: a mediator with the real catalogue, policies and decider, and with fakes for who, Prefect and the ledger.

import type { EdgeInputs } from '../../contract/inputs.ts';
import { type Principal, RUN_ATTRIBUTE } from '../../contract/principal.ts';
import type { NewRecord } from '../../contract/record.ts';
import { runPrincipalId } from '../../contract/run-token.ts';
import { everywhere, type Grant, NOWHERE, type Scope } from '../../contract/scope.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { createCatalogue, OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import { createEntities } from '../../prefect/client/entities.ts';
import { createLookup } from '../../prefect/client/lookup.ts';
import { createLineageMemory, createRunLineage } from '../../prefect/client/run-lineage.ts';
import type { UpstreamAnswer, UpstreamRequest } from '../../prefect/client/upstream.ts';
import { createEventMemory } from '../../prefect/events/memory.ts';
import { createEventRules } from '../../prefect/events/rules.ts';
import type { Lease } from '../../store/leases.ts';
import { createDecider } from '../decide/decider.ts';
import { createHoldsLease } from '../decide/holds-lease.ts';
import { sharedEngine } from '../policy/engine.fixture.ts';
import type { PolicyEngine } from '../policy/engine.ts';
import { loadBuiltInPolicies, namePolicies, uniqueByName } from '../policy/policies.ts';
import { AT_ONCE } from './body-work.ts';
import type { LateBody } from './call.ts';
import { createMediator, type MediatedResponse, type MediatorParts } from './mediator.ts';

const catalogue = createCatalogue();
const actions = collectActions(OPERATIONS);

export const RUN = '11111111-2222-3333-4444-555555555555';
export const DEPLOYMENT = 'aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee';

export interface Options {
  /** The token is the role; `none` is an unknown token. */
  readonly prefect?: (request: UpstreamRequest) => Partial<UpstreamAnswer> | Error;
  readonly parts?: Partial<MediatorParts>;
  readonly ledger?: Partial<MediatorParts['ledger']>;
  readonly onBehalfOf?: readonly string[];
  /** Left out: the rights of the sender are its own. */
  readonly limitedBy?: readonly Principal[];
  /** Policies besides the built-in ones, `@id("...")` and all. */
  readonly policies?: string;
  /** Who has made an object; left out: nobody knows. */
  readonly makerOf?: (type: string, id: string) => Promise<string | null>;
  /** Flows that a principal has registered by name: `token:deployer ID`. */
  readonly knows?: readonly string[];
  /** On what alone the role holds. */
  readonly scope?: Partial<Scope>;
  /** Further roles of the sender. */
  readonly beside?: readonly Grant[];
  /** The sender is this flow run, by its own token. */
  readonly run?: string;
  /** What else the sender is: an agent. */
  readonly principal?: Partial<Principal>;
  /** Tags that some scope names. */
  readonly guarded?: readonly string[];
  /** Every sender is observed. */
  readonly observed?: boolean;
  /** Existing leases. The mediator adds and removes leases here. */
  readonly leases?: Map<string, Lease>;
}

const engines = new Map<string, PolicyEngine>();

/** With these policies besides the built-in ones. */
function engineWith(text: string): PolicyEngine {
  const policies = () => uniqueByName([...Object.entries(loadBuiltInPolicies()), ...namePolicies(text, 'test')]);
  const engine = engines.get(text) ?? sharedEngine({ actions, revision: 7, policies: policies() });
  engines.set(text, engine);
  return engine;
}

/** A policy that takes an action away, on everything or on one object. */
export function forbid(action: string, resource?: string): string {
  return `@id("no-${action}") forbid (principal, action == Action::"${action}", resource${resource === undefined ? '' : ` == ${resource}`});`;
}

/** A Prefect that has these objects, by `GET /path` or `POST /path`; what it is not asked for by a lookup it answers with `answer`. */
export function prefectWith(objects: Readonly<Record<string, unknown>>, answer: Partial<UpstreamAnswer> = {}): NonNullable<Options['prefect']> {
  return ({ method, path }) => {
    const found = objects[`${method} ${path}`];
    if (found !== undefined) return { body: json(found) };
    if (method === 'GET') return { status: 404 };
    return path.endsWith('/filter') ? { body: json([]) } : answer;
  };
}

export interface Sent {
  readonly role: string;
  readonly method?: string;
  readonly path: string;
  /** Text or bytes as they are; anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly inputs?: Partial<EdgeInputs>;
  readonly tool?: string;
}

export function startMediator(options: Options = {}) {
  const forwarded: UpstreamRequest[] = [];
  const records = new Map<string, NewRecord>();
  const order: string[] = [];
  const policy = engineWith(options.policies ?? '');
  const upstream: MediatorParts['upstream'] = {
    async request(request) {
      forwarded.push(request);
      order.push(`prefect ${request.method}`);
      const answer = options.prefect?.(request) ?? {};
      if (answer instanceof Error) throw answer;
      return { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from('{}'), upstreamMs: 3, ...answer };
    },
  };
  const now = createEntities({ lookup: createLookup(upstream), lasting: createLookup(upstream), makerOf: options.makerOf ?? (async () => null) });
  const known = new Set(options.knows ?? []);
  const taken = options.leases ?? new Map<string, Lease>();
  const lookup = createLookup(upstream);
  const lineage = createRunLineage(lookup, createLineageMemory());
  const decider = createDecider({
    catalogue,
    policy,
    entities: { recent: now, now },
    changeNumber: async () => 1,
    authenticator: authenticatorOf(options),
    knowsFlow: async (principal, flow) => known.has(`${principal} ${flow}`),
    holdsLease: createHoldsLease({ leaseOf: async (id) => taken.get(id) ?? null, lineage, lookup }),
    lineage: { recent: lineage, now: lineage },
    ...(options.observed === true && {
      observation: { until: async () => Number.MAX_SAFE_INTEGER, concerns: () => true, sharedCaller: async () => undefined },
    }),
  });
  const ledger: MediatorParts['ledger'] = {
    healthy: () => true,
    async append(record) {
      order.push('append');
      records.set(record.request_id ?? '', record);
    },
    async intend(record) {
      order.push('intend');
      records.set(record.request_id, record);
    },
    async settle(requestId, outcome) {
      order.push('settle');
      records.set(requestId, { time: '', ...records.get(requestId), ...outcome });
    },
    ...options.ledger,
  };
  const config = {
    publicUrl: { origin: 'https://gate', basePath: '' },
    forwardHeaders: ['X-Team', 'Cookie'],
    ledger: { failClosed: true },
    startedByTag: false,
    traces: null,
  };
  const eventRules = createEventRules(createEventMemory());
  const made: string[] = [];
  const makers: MediatorParts['makers'] = {
    put: async (type, id, principal) => void made.push(`${principal} ${type} ${id}`),
    createdBy: async () => [],
    forget: async (type, id) => void made.push(`gone ${type} ${id}`),
  };
  const knownFlows: MediatorParts['knownFlows'] = { put: async (principal, flow) => void known.add(`${principal} ${flow}`) };
  const lives = new Map<string, number>();
  const leases: MediatorParts['leases'] = {
    async put(lease, lifeMs) {
      taken.set(lease.id, taken.get(lease.id) ?? lease);
      lives.set(lease.id, lifeMs);
    },
    ends: async (id, lifeMs) => void lives.set(id, lifeMs),
  };
  const guardedTags = async () => new Set(options.guarded ?? []);
  const bodies = { begin: async () => AT_ONCE };
  const memory = { guardedTags, objects: { forget: () => undefined }, makers, knownFlows, leases, bodies, pause: async () => undefined };
  const mediator = createMediator({ catalogue, decider, upstream, ledger, clock: () => 1_700_000_000_000, eventRules, config, ...memory, ...options.parts });
  return {
    forwarded,
    records,
    order,
    made,
    known,
    taken,
    lives,
    record: (id = 'r1'): NewRecord => records.get(id) ?? { time: 'no record' },
    send: (sent: Sent): Promise<MediatedResponse> => mediator.handle(requestOf(sent)),
    /** The body is still on its way: how large it says it is, and what it is when it is read. */
    sendLate: (sent: Sent, body: LateBody): Promise<MediatedResponse> => mediator.handle({ ...requestOf({ ...sent, body: {} }), body }),
    /** What Prefect got last, parsed. */
    last: (): unknown => JSON.parse(forwarded.at(-1)?.body?.toString() ?? 'null'),
  };
}

/** Sends one request, `METHOD /path`; `result` is the status of what went through, or the code of the refusal. */
export async function outcomeOf(role: string, route: string, body?: unknown, options: Options = { prefect: prefectWith({}, { status: 201 }) }) {
  const [method = '', path = ''] = route.split(' ');
  const gate = startMediator(options);
  const response = await gate.send({ role, method, path, body });
  const result = response.status < 300 ? response.status : codeOf(response);
  /** Whether a write reached Prefect; lookups do not count. */
  const arrived = gate.forwarded.some((sent) => sent.method !== 'GET' && !sent.path.endsWith('/filter'));
  return { gate, response, result, arrived };
}

export function codeOf(response: MediatedResponse): string {
  const body: unknown = JSON.parse(response.body.toString());
  return typeof body === 'object' && body !== null && 'code' in body ? String(body.code) : '';
}

export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

function requestOf({ role, method = 'POST', path, body, headers, inputs, tool }: Sent) {
  const found = catalogue.match(method, path);
  const bytes = body === undefined ? Buffer.alloc(0) : Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  const own: EdgeInputs = {
    requestId: 'r1',
    host: 'gate.example',
    listener: '0',
    address: '10.0.0.9',
    authorization: '',
    token: role,
    session: '',
    certificate: '',
    sameOrigin: false,
    method,
    operation: found?.operation.operationId ?? '',
    path,
    args: '',
    ...inputs,
  };
  return {
    inputs: own,
    headers: { ...(bytes.length > 0 && { 'content-type': 'application/json' }), 'user-agent': 'prefect/3.9.1', ...headers },
    body: bytes,
    ...(tool !== undefined && { tool }),
  };
}

/** The run whose own token it is. */
function runFields(run: string) {
  return { id: runPrincipalId(run), kind: 'run', attributes: { [RUN_ATTRIBUTE]: run } } as const;
}

function authenticatorOf({
  onBehalfOf = [],
  limitedBy,
  scope,
  beside = [],
  run,
  principal: further,
}: Options): Parameters<typeof createDecider>[0]['authenticator'] {
  const authenticate = async ({ token, session }: EdgeInputs) => {
    const role = token === '' ? session : token;
    if (role === 'none') return { ok: false, reason: 'credential-unknown', credentialId: null } as const;
    const principal = {
      id: `token:${role}`,
      kind: 'service',
      idp: null,
      roles: [role, ...beside.map((grant) => grant.role)],
      grants: [...(scope === undefined ? everywhere([role]) : [{ role, scope: { ...NOWHERE, ...scope } }]), ...beside],
      groups: [],
      attributes: {},
      onBehalfOf,
      ...(limitedBy !== undefined && { limitedBy }),
      ...(run !== undefined && runFields(run)),
      ...further,
    } as const;
    const carrier = session === '' ? 'x-lictor-token' : 'session';
    const credential = { id: 'lct_x', carrier, expiresAtMs: null, sessionId: session === '' ? null : 's1', alsoPresented: [] } as const;
    return { ok: true, principal, credential } as const;
  };
  return { authenticate, authenticateFrame: async () => ({ ok: false, reason: 'credential-missing', credentialId: null }), idle: async () => undefined };
}
