// The edge's decision equals what `explain` says about the same request: nginx, decision and mediator against the same snapshot.

import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createAnswerer } from '../../src/authorization/decide/answer.ts';
import { createDecider } from '../../src/authorization/decide/decider.ts';
import { parseEdgeInputs } from '../../src/authorization/decide/inputs.ts';
import type { ExplainerParts } from '../../src/authorization/explain/explainer.ts';
import { findPrincipal, type ResolvedPrincipal } from '../../src/authorization/explain/principal.ts';
import { explainRequest } from '../../src/authorization/explain/request.ts';
import { AT_ONCE } from '../../src/authorization/mediate/body-work.ts';
import { createMediator } from '../../src/authorization/mediate/mediator.ts';
import { createPolicyEngine } from '../../src/authorization/policy/engine.ts';
import { loadPolicySources } from '../../src/authorization/policy/sources.ts';
import { steadyClock, systemClock } from '../../src/contract/clock.ts';
import { BUILT_IN_ROLES } from '../../src/contract/roles.ts';
import { createAuthenticator } from '../../src/identity/authn/authenticator.ts';
import { createTokenId, createTokenText, hashToken } from '../../src/identity/authn/service-token/token-text.ts';
import { collectActions } from '../../src/prefect/catalog/actions.ts';
import { createCatalogue, OPERATIONS } from '../../src/prefect/catalog/catalogue.ts';
import { createEntities } from '../../src/prefect/client/entities.ts';
import { createLookup } from '../../src/prefect/client/lookup.ts';
import { createUpstream } from '../../src/prefect/client/upstream.ts';
import { createEventMemory } from '../../src/prefect/events/memory.ts';
import { createEventRules } from '../../src/prefect/events/rules.ts';
import { openStore, type Store } from '../../src/store/store.ts';
import { directTo, field, sharedPrefect } from '../env/prefect.ts';
import { request } from '../env/raw-request.ts';
import { type StubEdge, startStubEdge } from '../env/stub-edge.ts';

const ID = '1b4e28ba-2fa1-41d2-883f-0016d3cca427';

let edge: StubEdge;
let store: Store;
let directory: string;
let control: Server;
let parts: ExplainerParts;
const callers = new Map<string, { readonly secret: string; readonly somebody: ResolvedPrincipal }>();

beforeAll(async () => {
  edge = await startStubEdge();
  directory = mkdtempSync(join(tmpdir(), 'lictor-test-explain-'));
  store = await openStore({ at: join(directory, 'lictor.db'), clock: systemClock });
  const config = { identityProviders: [], roles: [], agents: [], sessions: { idleSeconds: 60, absoluteSeconds: 60 } };
  const catalogue = createCatalogue();
  const actions = collectActions(catalogue.operations);
  const policy = createPolicyEngine({ actions, revision: 1 });
  const authenticator = createAuthenticator({ store, config, clock: systemClock, steady: steadyClock });
  const lookup = createLookup(createUpstream({ servers: [edge.upstream.url], authString: edge.upstream.authString, caFile: null, publicUrl: null }));
  const makerOf = store.makers.of;
  const now = createEntities({ lookup, lasting: lookup, makerOf });
  const decider = createDecider({ authenticator, catalogue, policy, entities: { recent: now, now }, changeNumber: () => store.changeNumber() });
  const answerer = createAnswerer({ decider, catalogue, clock: systemClock, steady: steadyClock, mayWrite: () => true });
  edge.upstream.answerWith(() => ({ status: 200, body: '{}' }));
  edge.decideWith((inputs, response) => {
    answerer.answer(inputs).then(
      ({ status, headers }) => response.writeHead(status, headers).end(),
      () => response.destroy(),
    );
  });
  const upstream = createUpstream({ servers: [edge.upstream.url], authString: edge.upstream.authString, caFile: null, publicUrl: null });
  const publicUrl = { origin: edge.url, basePath: '' };
  const quiet = async () => undefined;
  const ledger = { append: quiet, intend: quiet, settle: quiet, healthy: () => true };
  const mediator = createMediator({
    eventRules: createEventRules(createEventMemory()),
    catalogue,
    decider,
    upstream,
    ledger,
    clock: systemClock,
    guardedTags: async () => new Set(),
    objects: { forget: () => undefined },
    knownFlows: { put: async () => undefined },
    leases: { put: async () => undefined, ends: async () => undefined },
    bodies: { begin: async () => AT_ONCE },
    makers: store.makers,
    config: { publicUrl, forwardHeaders: [], startedByTag: false, traces: null, ledger: { failClosed: true } },
  });
  control = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.once('end', () => {
      const headers = Object.fromEntries(Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]));
      void mediator.handle({ inputs: parseEdgeInputs(incoming.headers), headers, body: Buffer.concat(chunks) }).then((answer) => {
        response.writeHead(answer.status, answer.headers).end(answer.body);
      });
    });
  });
  // In place of the stub: nginx connects by the path.
  rmSync(edge.paths.controlSocket);
  await new Promise<void>((resolve) => control.listen(edge.paths.controlSocket, resolve));
  chmodSync(edge.paths.controlSocket, 0o666);
  parts = {
    catalogue,
    actions,
    policy,
    sources: loadPolicySources(),
    publicUrl,
    services: [],
    forwardHosts: null,
    lookup: createLookup(upstream),
    makerOf: store.makers.of,
    revision: 1,
  };
  for (const role of BUILT_IN_ROLES) {
    const { id, text } = createTokenText(createTokenId());
    await store.tokens.create({ id, name: role, roles: [role], cidrs: [], lifetimeMs: null, hash: hashToken(text) });
    callers.set(role, { secret: text, somebody: await findPrincipal(`token:${role}`, { config, store: async () => store, nowMs: systemClock() }) });
  }
});
afterAll(async () => {
  control?.closeAllConnections();
  await new Promise((resolve) => control?.close(resolve));
  await edge?.stop();
  await store?.close();
  rmSync(directory, { recursive: true, force: true });
});

const anyName = fc.constantFrom('etl', 'a%20b', ID, ID.toUpperCase(), ID.replaceAll('-', ''), 'filter', `${ID}0`, '%2e', 'x;y', '..');
const anyBody = fc.constantFrom(
  '{}',
  '',
  '[]',
  '{"parameters": {"n": 1}}',
  '{"job_variables": {"image": "x"}}',
  `{"state": {"type": "CANCELLING"}, "force": true, "flow_runs": {"id": {"any_": ["${ID}"]}}}`,
  '{"state": {"type": "RUNNING"}, "force": false}',
  '{"state": {"type": "SCHEDULED", "name": "AwaitingRetry"}, "force": "yes"}',
  `{"deployment_id": "${ID}", "flow_id": "${ID}"}`,
  '{"include_secrets": true}',
  '{"name": "a", "name": "b"}',
);

/** Mostly routes of the catalogue, mostly with their own method; sometimes neither. */
const anyRequest = fc
  .record({
    operation: fc.constantFrom(...OPERATIONS.filter(({ taken }) => taken !== 'relay')),
    names: fc.array(fc.oneof({ weight: 3, arbitrary: fc.constant(ID) }, { weight: 1, arbitrary: anyName }), { minLength: 3, maxLength: 3 }),
    method: fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: fc.constantFrom('GET', 'POST', 'DELETE', 'PATCH', 'PUT') }),
    tail: fc.constantFrom('', '', '', '/', '/x', '//'),
    query: fc.constantFrom('', '', '', '?include_secrets=true', '?include_secrets=0', '?include%5Fsecrets=1', '?limit=5'),
    body: anyBody,
    role: fc.constantFrom(...BUILT_IN_ROLES),
  })
  .map(({ operation, names, method, tail, query, body, role }) => {
    let at = 0;
    const path = `${operation.path.replaceAll(/\{\w+\}/g, () => names[at++ % 3] ?? ID).replace(/\*$/, 'x')}${tail}`;
    return { method: method ?? operation.method, target: `${path}${query}`, body, role };
  });

type Made = typeof anyRequest extends fc.Arbitrary<infer T> ? T : never;

/** What came back: forwarded, or the code of the gateway's refusal; its status where there is no body. */
async function outcome({ method, target, body, role }: Made): Promise<string> {
  const lines = [`${method} ${target} HTTP/1.1`, 'Host: localhost', `Authorization: Bearer ${callers.get(role)?.secret ?? ''}`, 'Accept: application/json'];
  const sent = method === 'GET' ? '' : body;
  const answer = await request(edge.port, [...lines, 'Content-Type: application/json', `Content-Length: ${Buffer.byteLength(sent)}`], sent);
  return answer.statuses[0] === 200 ? 'forwarded' : (/"code":"([a-z-]+)"/.exec(answer.text)?.[1] ?? `status ${answer.statuses[0]}`);
}

async function explained({ method, target, body, role }: Made): Promise<string> {
  const somebody = callers.get(role)?.somebody;
  if (somebody === undefined) throw new Error(`no ${role}`);
  const answer = await explainRequest(parts, somebody, { line: `${method} ${target}`, body: Buffer.from(method === 'GET' ? '' : body) });
  if (answer.decision === 'allow') return 'forwarded';
  // Answers of HEAD have no body, and Prefect's own have no code.
  return method === 'HEAD' || ['not-found', 'method-not-allowed'].includes(answer.reason) ? `status ${answer.status}` : answer.reason;
}

/** docs/reference/rights.md: `METHOD /path` -> role -> right. */
function reviewedRights(): ReadonlyMap<string, Readonly<Record<string, string>>> {
  const rows = readFileSync(new URL('../../docs/reference/rights.md', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| '));
  const [head = [], , ...cells] = rows.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );
  return new Map(cells.map(([route = '', ...rest]) => [route, Object.fromEntries(rest.map((cell, at) => [head[at + 1] ?? '', cell]))]));
}

function methodOf(text: string): Made['method'] {
  const method = OPERATIONS.map((operation) => operation.method).find((known) => known === text.toUpperCase());
  if (method === undefined) throw new Error(`the catalogue has no ${text}`);
  return method;
}

/** What the running Prefect serves, as the documents of rights write it. */
async function servedRoutes(): Promise<readonly (readonly [method: Made['method'], path: string])[]> {
  const paths = Object.entries(Object(field(await directTo(sharedPrefect()).get('/openapi.json'), 'paths')));
  return paths.flatMap(([path, item]) => Object.keys(Object(item)).map((method) => [methodOf(method), `/api${path}`] as const));
}

describe('docs/reference/rights.md', () => {
  it('says for every route of the running Prefect and every role what the gateway does', async () => {
    const reviewed = reviewedRights();
    const routes = await servedRoutes();
    expect(routes.length).toBeGreaterThan(150);
    const wrong: string[] = [];
    for (const [method, path] of routes) {
      const rights = reviewed.get(`${method} ${path}`);
      for (const role of BUILT_IN_ROLES) {
        const said = await outcome({ method, target: path.replaceAll('{countable}', 'day').replaceAll(/\{\w+\}/g, ID), body: '{}', role });
        const refused = said.startsWith('policy-') || said === 'route-denied' || ['action-unknown', 'status 404', 'status 405'].includes(said);
        if (rights?.[role] !== 'in part' && refused !== (rights?.[role] === '-')) wrong.push(`${role} ${method} ${path}: ${rights?.[role]}, and it is ${said}`);
      }
    }
    expect(wrong).toEqual([]);
  }, 240_000);
});

describe('explain', () => {
  it('says of 1,000 random requests as every built-in role what the edge does', async () => {
    const seen: Record<string, number> = {};
    const allowed = new Set<string>();
    await fc.assert(
      fc.asyncProperty(anyRequest, async (made) => {
        const said = await explained(made);
        seen[said] = (seen[said] ?? 0) + 1;
        if (said === 'forwarded') allowed.add(made.role);
        expect(said, JSON.stringify(made)).toBe(await outcome(made));
      }),
      { numRuns: 1_000, seed: 20261125 },
    );
    // It is no proof if everything is refused for the same reason, or a role never gets through.
    expect([...allowed].sort()).toEqual([...BUILT_IN_ROLES].sort());
    expect(seen['forwarded'] ?? 0).toBeGreaterThan(60);
    for (const reason of ['policy-default-deny', 'path-not-canonical', 'status 404', 'body-invalid']) expect(seen[reason] ?? 0, reason).toBeGreaterThan(3);
  });
});
