// For tests: the own pages and the API on real parts, with the ledger, Prefect and the mediator replaced.
import { join } from 'node:path';
import { inspect } from 'node:util';
import { createApprovalDesk } from '../../authorization/approvals/desk.ts';
import { createDecider } from '../../authorization/decide/decider.ts';
import type { Mediator } from '../../authorization/mediate/mediator.ts';
import { sharedEngine } from '../../authorization/policy/engine.fixture.ts';
import { openSigningKeys } from '../../config/keys/signing-keys.ts';
import { textFile } from '../../config/keys/stored-text.ts';
import { LictorError } from '../../contract/error.ts';
import type { OpenSocket } from '../../contract/open-socket.ts';
import type { NewRecord } from '../../contract/record.ts';
import { openRedactor } from '../../contract/untrusted/redact.ts';
import { createAgentCredentials } from '../../identity/authn/agent/credentials.ts';
import { createAuthenticator } from '../../identity/authn/authenticator.ts';
import { createConfirm, createConfirmMemory } from '../../identity/authn/external/confirm.ts';
import { confirmedGrants, createGrantStanding } from '../../identity/authn/grant/standing.ts';
import { createGrantTokenKind } from '../../identity/authn/grant/verify.ts';
import { createRoleBook } from '../../identity/authn/roles.ts';
import { documentNetwork } from '../../identity/oauth/client-documents.ts';
import { createClients } from '../../identity/oauth/clients.ts';
import { createAuthorizationServer } from '../../identity/oauth/server.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { createCatalogue } from '../../prefect/catalog/catalogue.ts';
import { createEntities } from '../../prefect/client/entities.ts';
import { noPrefect } from '../../record/timeline/prefect-source.ts';
import type { ClientGrant } from '../../store/client-grants.ts';
import { createMcpEndpoint } from '../mcp/endpoint.ts';
import { TOOLS } from '../mcp/tools/index.ts';
import { reviewWithoutThread } from './api/access/review.fixture.ts';
import { createOwnApp, type OwnAppParts } from './own-app.ts';

import { CLI_LIFE_MS, CONFIG, type Given, type World } from './own-app-world.fixture.ts';

/** A gateway that has nothing to report. */
const QUIET: OwnAppParts['gateway'] = {
  node: 'node-1',
  providers: async () => new Map(),
  sharedStore: () => null,
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
export function buildApp(get: () => World, given: Given) {
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
    async ask(question, { principal }) {
      get().askers.push(principal);
      return (await get().answer(question)) as never;
    },
    page: async (question, { principal }) => {
      get().searched.push(question);
      get().askers.push(principal);
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
  const review = reviewWithoutThread({ config, store, ledgerFile: join(directory, 'ledger.db'), ...given.review });
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
      accessReview: {
        ask(kind, question, principal) {
          get().askers.push(principal);
          return review.ask(kind, question, principal);
        },
      },
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
