// For tests: the gateway's app with a separate store. Requests look like those of nginx.
import { join } from 'node:path';
import { inspect } from 'node:util';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeEach } from 'vitest';
import { createApprovalDesk } from '../../authorization/approvals/desk.ts';
import { createDecider } from '../../authorization/decide/decider.ts';
import type { Verdict } from '../../authorization/mediate/conditions.ts';
import type { Lookup } from '../../authorization/mediate/handler.ts';
import type { MediatedRequest, MediatedResponse, Mediator } from '../../authorization/mediate/mediator.ts';
import { sharedEngine } from '../../authorization/policy/engine.fixture.ts';
import type { PolicyTexts } from '../../authorization/policy/policies.ts';
import type { Config } from '../../config/config.ts';
import { openSigningKeys } from '../../config/keys/signing-keys.ts';
import { textFile } from '../../config/keys/stored-text.ts';
import type { Clock } from '../../contract/clock.ts';
import { LictorError } from '../../contract/error.ts';
import { INPUT } from '../../contract/names.ts';
import type { OpenSocket } from '../../contract/open-socket.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { LedgerRecord, NewRecord } from '../../contract/record.ts';
import { openRedactor } from '../../contract/untrusted/redact.ts';
import { createAgentCredentials } from '../../identity/authn/agent/credentials.ts';
import { type Authenticator, createAuthenticator } from '../../identity/authn/authenticator.ts';
import { CONFIRM_LIMITS, type ConfirmMemory, createConfirm, createConfirmMemory } from '../../identity/authn/external/confirm.ts';
import { confirmedGrants, createGrantStanding } from '../../identity/authn/grant/standing.ts';
import { createGrantTokenKind } from '../../identity/authn/grant/verify.ts';
import { createRoleBook } from '../../identity/authn/roles.ts';
import { openTestStore, type TestStore } from '../../identity/authn/store.fixture.ts';
import { type DocumentNetwork, documentNetwork } from '../../identity/oauth/client-documents.ts';
import { createClients } from '../../identity/oauth/clients.ts';
import { createAuthorizationServer } from '../../identity/oauth/server.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { createCatalogue } from '../../prefect/catalog/catalogue.ts';
import { createEntities } from '../../prefect/client/entities.ts';
import type { Page, PageQuestion, Question } from '../../record/ledger/search/questions.ts';
import { noPrefect } from '../../record/timeline/prefect-source.ts';
import type { ClientGrant } from '../../store/client-grants.ts';
import { createMcpEndpoint } from '../mcp/endpoint.ts';
import { TOOLS } from '../mcp/tools/index.ts';
import { reviewWithoutThread } from './api/access/review.fixture.ts';
import type { ApiRoute } from './api/api-route.ts';
import { createPolicyWork, type PolicyWork } from './api/policies/policy-work.fixture.ts';
import { createOwnApp, type OwnAppParts } from './own-app.ts';

export const CLI_LIFE_MS = 30 * 86_400_000;
export const CONFIG: OwnAppParts['config'] = {
  publicUrl: { origin: 'http://localhost:8200', hostname: 'localhost', port: 8200, secure: false, basePath: '' },
  identityProviders: [{ id: 'local', type: 'accounts' }],
  roles: [],
  sessions: { idleSeconds: 3600, absoluteSeconds: 86_400 },
  cliSeconds: CLI_LIFE_MS / 1000,
  tls: null,
  ledger: { failClosed: true, retentionSeconds: null },
  agents: [],
  scim: [],
  services: [],
};
/** A gateway that has nothing to report. */
const QUIET: OwnAppParts['gateway'] = {
  node: 'node-1',
  providers: async () => new Map(),
  servers: async () => [],
  families: () => [],
  sinks: () => [],
  workers: () => [],
  watch: async () => ({ families: [], traffic: null }),
};
const NO_EVIDENCE: OwnAppParts['evidence'] = {
  async *run() {},
  close: async () => undefined,
};
export const PASSWORD = 'correct horse';
/** The hash of PASSWORD at the lowest cost, so that a check is fast. */
const PHC = '$argon2id$v=19$m=8,t=1,p=1$c2FsdCBvZiBhIHRlc3QuLg$nobR2o2xeWTurFtnT39aBrZqNLEx7m9cGt3lpegYjU0';
/** The Accept header of a browser's navigation. */
export const HTML = { accept: 'text/html,application/xhtml+xml' };

/** The environment of one test. `useOwnApp` creates a new one before each. */
export interface World {
  readonly test: TestStore;
  readonly app: FastifyInstance;
  /** Of the app. */
  readonly authenticator: Authenticator;
  readonly phc: string;
  readonly records: NewRecord[];
  readonly mediated: (MediatedRequest & { readonly body: Buffer })[];
  syncs: number;
  /** The open sockets. */
  readonly sockets: OpenSocket[];
  ledgerBroken: boolean;
  /** `sessions.cli` after a reload. */
  cliLifeMs: number;
  /** The timeout of a request to a provider. */
  confirmWaitMs: number;
  /** The whole log as text. */
  readonly logged: string[];
  /** The reasons of failed session renewals. */
  readonly endings: ReasonCode[];
  readonly confirmMemory: ConfirmMemory;
  /** The filters of the ledger searches, and their result. */
  readonly searched: PageQuestion[];
  found: () => Promise<readonly LedgerRecord[]>;
  /** The objects that every reader with restrictions sees. */
  covered: readonly string[];
  /** The timelines. */
  runPages: OwnAppParts['runPages'];
  unknown: string | null;
  stoppedAt: Page['stoppedAt'];
  /** Answers to the other questions to the ledger; by default those of an empty one. */
  answer: (question: Question) => Promise<unknown>;
  /** Ends the streams. */
  readonly retired: AbortController;
  mediatorAnswer: () => Promise<MediatedResponse>;
  readonly policyWork: PolicyWork;
  /** The budgets of the agent. */
  charge: () => Promise<Verdict>;
}

export interface Ask {
  readonly method?: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS';
  readonly session?: string;
  readonly sameOrigin?: boolean;
  /** A page of another site sends the request. */
  readonly foreignOrigin?: boolean;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

interface Given {
  readonly apiRoutes?: readonly ApiRoute[];
  readonly config?: Partial<Config>;
  readonly checks?: OwnAppParts['checks'];
  readonly console?: OwnAppParts['console'];
  readonly evidence?: OwnAppParts['evidence'];
  readonly gateway?: Partial<OwnAppParts['gateway']>;
  readonly providers?: OwnAppParts['providers'];
  /** Own policies and Prefect's objects, for questions about rights. */
  readonly review?: { readonly own?: PolicyTexts; readonly lookup?: Lookup };
  /** For metadata documents of clients. */
  readonly network?: DocumentNetwork;
}

const NO_RUNS: OwnAppParts['runPages'] = {
  recent: async () => ({ runs: [], before: null }),
  timeline: () => Promise.reject(new LictorError('run-unknown', 'none here')),
};

const EMPTY_LEDGER: Readonly<Record<Question['kind'], unknown>> = {
  page: { records: [], unknown: null },
  changes: { records: [], number: 0 },
  record: null,
  principals: [],
  chain: { state: 'unsigned', signed_at: null, chains: [] },
};

/** `start`: the start time of the clock in each test. */
export function useOwnApp({ start, apiRoutes }: { readonly start?: Clock; readonly apiRoutes?: readonly ApiRoute[] } = {}) {
  const world: { current: World | undefined } = { current: undefined };
  let configured: Given = {};
  const more = apiRoutes === undefined ? {} : { apiRoutes };
  /** Built at the first request, because most tests change the configuration before. */
  let app: ReturnType<typeof buildApp> | undefined;
  const get = (): World => {
    if (world.current === undefined) throw new Error('outside of a test');
    return world.current;
  };
  const built = (): ReturnType<typeof buildApp> => {
    app ??= buildApp(get, { ...more, ...configured });
    return app;
  };
  /** The same environment with another configuration. */
  const reconfigure = (given: Given): void => {
    configured = given;
    app = undefined;
  };

  beforeEach(async () => {
    const test = await openTestStore(start?.());
    await test.store.accounts.create({ id: '1', name: 'alice', roles: ['admin'], password: PHC });
    const created = { status: 201, headers: { 'content-type': 'application/json', 'x-extra': 'yes' }, body: Buffer.from('{"id":1}') };
    const none = { records: [], mediated: [], logged: [], endings: [], searched: [], sockets: [] };
    const empty = {
      ...none,
      test,
      phc: PHC,
      syncs: 0,
      ledgerBroken: false,
      cliLifeMs: CLI_LIFE_MS,
      confirmWaitMs: CONFIRM_LIMITS.waitMs,
      found: async () => [],
      covered: [],
      runPages: NO_RUNS,
      unknown: null,
      stoppedAt: undefined,
      answer: async ({ kind }: Question) => EMPTY_LEDGER[kind],
      retired: new AbortController(),
      mediatorAnswer: async () => created,
      charge: async (): Promise<Verdict> => ({ ok: true }),
      policyWork: createPolicyWork(),
    };
    const confirmMemory = createConfirmMemory();
    reconfigure({});
    world.current = {
      ...empty,
      confirmMemory,
      get app() {
        return built().app;
      },
      get authenticator() {
        return built().authenticator;
      },
    };
  });
  afterEach(async () => {
    get().retired.abort();
    await app?.app.close();
    await get().test.close();
  });

  const ask = (url: string, { method = 'GET', session = '', sameOrigin = false, foreignOrigin = false, headers = {}, body }: Ask = {}) => {
    const inputs = {
      [INPUT.requestId]: 'request-1',
      [INPUT.address]: '192.0.2.1',
      [INPUT.session]: session,
      [INPUT.sameOrigin]: sameOrigin ? '1' : foreignOrigin ? '0' : '',
      [INPUT.method]: method,
    };
    return get().app.inject({ method, url, headers: { ...inputs, ...headers }, ...(body !== undefined && { payload: body }) });
  };
  const post = (url: string, form: Readonly<Record<string, string>>, more: Ask = {}) => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded', ...HTML, ...more.headers };
    return ask(url, { sameOrigin: true, ...more, method: 'POST', headers, body: new URLSearchParams(form).toString() });
  };
  const logIn = (form: Readonly<Record<string, string>> = {}, more: Ask = {}) =>
    post('/.lictor/login', { username: 'alice', password: PASSWORD, ...form }, more);
  const me = async (session: string): Promise<number> => (await ask('/.lictor/api/v1/me', { session })).statusCode;
  return { get, reconfigure, ask, post, logIn, me };
}

export function cookieOf(answer: { readonly headers: Readonly<Record<string, unknown>> }): string {
  return /^lictor=([^;]*)/.exec(String([answer.headers['set-cookie'] ?? []].flat()[0] ?? ''))?.[1] ?? '';
}

function buildApp(get: () => World, given: Given) {
  const { test, confirmMemory: memory } = get();
  const config = { ...CONFIG, ...given.config };
  const { store, clock, steady, sealer, directory } = test;
  const providers = given.providers ?? [];
  const log = (...what: readonly unknown[]): void => void get().logged.push(inspect(what, { depth: 10 }));
  const common = { config, store, sealer, clock, steady };
  const confirm = createConfirm({
    ...common,
    providers,
    sessions: store.sessions,
    memory,
    onEnded: async (_session, reason) => void get().endings.push(reason),
    onNoAnswer: log,
    get waitMs() {
      return get().confirmWaitMs;
    },
  });
  const confirmGrant = createConfirm({
    ...common,
    providers,
    sessions: confirmedGrants(store.clientGrants),
    memory: createConfirmMemory<ClientGrant>(),
    onEnded: async (_grant, reason) => void get().endings.push(reason),
    onNoAnswer: log,
  });
  const clients = createClients({
    config: { oauthClients: [], oauthClientHosts: [], agents: [], ...given.config },
    network: given.network ?? documentNetwork(),
    steady,
  });
  const standing = createGrantStanding({
    acceptsClient: clients.accepts,
    sessions: store.sessions,
    providers: config.identityProviders,
    roleBook: createRoleBook(config.roles),
    agents: createAgentCredentials([]),
    limits: config.sessions,
    get lifeMs() {
      return get().cliLifeMs;
    },
    clock,
    confirm: confirmGrant,
    confirmSession: confirm,
  });
  const authenticator = createAuthenticator({
    ...common,
    config: { ...config, agents: [] },
    confirm,
    verifiers: [createGrantTokenKind({ grants: store.clientGrants, standing, config, clock })],
  });
  const catalogue = createCatalogue();
  const nothing = createEntities({ lookup: async () => null, lasting: async () => null, makerOf: async () => null });
  const decider = createDecider({
    authenticator,
    catalogue,
    policy: sharedEngine({ actions: collectActions(catalogue.operations), revision: 7 }),
    entities: { recent: nothing, now: nothing },
    changeNumber: store.changeNumber,
  });
  const append = async (record: NewRecord): Promise<void> => {
    if (get().ledgerBroken) throw new LictorError('ledger-unavailable', 'disk full');
    get().records.push(record);
  };
  const authorizationServer = createAuthorizationServer({
    ...common,
    clients,
    loginLifeMs: CLI_LIFE_MS,
    sessionLimits: config.sessions,
    standing,
    exchange: async () => ({ ok: false, error: 'invalid_grant', reason: 'jwt-signature' }),
    signingKeys: openSigningKeys({ stored: textFile(join(directory, 'signing.json')), sealer, clock }),
    record: append,
    failClosed: true,
    onEnded: async () => {
      get().syncs += 1;
    },
    onError: log,
    revision: 7,
  });
  const ledgerSearch: OwnAppParts['ledgerSearch'] = {
    ask: (question) => get().answer(question) as Promise<never>,
    page: async (question) => {
      get().searched.push(question);
      const records = await get().found();
      const { unknown, stoppedAt } = get();
      return { records, unknown, ...(stoppedAt !== undefined && { stoppedAt }) };
    },
  };
  const mediator: Mediator = {
    async handle(request) {
      const body = Buffer.isBuffer(request.body) ? request.body : await request.body.read();
      get().mediated.push({ ...request, body });
      return get().mediatorAnswer();
    },
  };
  const app = createOwnApp(
    {
      ...common,
      ledger: { append },
      authenticator,
      decider,
      ...{ ledgerSearch, authorizationServer, mediator, policies: get().policyWork.parts },
      ...{ runPages: get().runPages, prefectRuns: noPrefect('none here') },
      liveSearch: ledgerSearch,
      retired: get().retired.signal,
      coveredObjects: () => async (_type, ids) => new Set(ids.filter((id) => get().covered.includes(id))),
      approvals: createApprovalDesk({ approvals: store.approvals, sealer, clock, revision: 7 }),
      evidence: given.evidence ?? NO_EVIDENCE,
      gateway: { ...QUIET, ...given.gateway },
      accessReview: reviewWithoutThread({ config, store, ledgerFile: join(directory, 'ledger.db'), ...given.review }),
      redactor: () => openRedactor({ known: [] }),
      mcp: createMcpEndpoint({
        ...{ mediator, decider, catalogue, clock, tools: TOOLS, revision: 7 },
        chargeCall: () => get().charge(),
        redactor: () => openRedactor({ known: [] }),
        ...{ ledgerSearch, sealer, approvals: store.approvals, publicUrl: config.publicUrl, steady: clock },
        limits: given.config?.limits ?? [],
        record: append,
        onError: log,
      }),
      log: { error: log, warn: log },
      providers,
      ...{ checks: given.checks ?? {}, console: given.console ?? (() => undefined) },
      sync: async () => {
        get().syncs += 1;
      },
      sockets: { list: () => get().sockets, close: (id) => closeIn(get().sockets, id) },
      revision: 7,
    },
    given.apiRoutes,
  );
  return { app, authenticator };
}

function closeIn(sockets: OpenSocket[], id: string): boolean {
  const index = sockets.findIndex((socket) => socket.id === id);
  if (index !== -1) sockets.splice(index, 1);
  return index !== -1;
}
