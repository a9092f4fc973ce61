// The runtime of one configuration: built at the start, and again by each reload. The process's services outlive it.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createNeedsApproval } from '../authorization/approvals/condition.ts';
import { createApprovalDesk } from '../authorization/approvals/desk.ts';
import { type Answerer, createAnswerer } from '../authorization/decide/answer.ts';
import { createDecider, type Decider } from '../authorization/decide/decider.ts';
import { createEventTagGuard, type EventTagGuard } from '../authorization/decide/event-tags.ts';
import { createHoldsLease } from '../authorization/decide/holds-lease.ts';
import { openObservation } from '../authorization/decide/observation.ts';
import { decidingText } from '../authorization/decide/revision.ts';
import type { AccessReview } from '../authorization/explain/review/review.ts';
import { createTurns } from '../authorization/mediate/body-work.ts';
import type { Conditions } from '../authorization/mediate/conditions.ts';
import { createMediator, type Mediator } from '../authorization/mediate/mediator.ts';
import { createRunTokenParts } from '../authorization/mediate/parts.ts';
import { createPolicyEngineInSteps, type PolicyEngine } from '../authorization/policy/engine.ts';
import { mayPollBy } from '../authorization/policy/may-poll.ts';
import type { OwnPolicies } from '../authorization/policy/own/check.ts';
import { obstacleToReplace } from '../authorization/policy/own/obstacle.ts';
import { loadBuiltInPolicies } from '../authorization/policy/policies.ts';
import type { Config } from '../config/config.ts';
import { limitsOfNode } from '../config/limits-of-node.ts';
import { createGuardedTags, type GuardedTags } from '../contract/scope/guarded.ts';
import { createOwnApp } from '../edge/http/own-app.ts';
import { createRequestCount } from '../edge/http/request-count.ts';
import { createMcpEndpoint, type McpEndpoint } from '../edge/mcp/endpoint.ts';
import { TOOLS } from '../edge/mcp/tools/index.ts';
import { prefectAnswers } from '../edge/nginx/watch-prefect.ts';
import { watchUpstreams } from '../edge/nginx/watch-services.ts';
import { createAccessStanding } from '../identity/authn/access-token/standing.ts';
import { createAccessTokenKind } from '../identity/authn/access-token/verify.ts';
import { createAgents } from '../identity/authn/agent/agents.ts';
import { createAuthenticator } from '../identity/authn/authenticator.ts';
import { openCertificates } from '../identity/authn/certificate/open.ts';
import { createGrantTokenKind } from '../identity/authn/grant/verify.ts';
import { warnOfLocks } from '../identity/authn/lock-notes.ts';
import { openRunTokens } from '../identity/authn/run-token/open.ts';
import { openProofs } from '../identity/authn/subject-tokens.ts';
import { type AuthorizationServer, createAuthorizationServer } from '../identity/oauth/server.ts';
import { createTokenExchange } from '../identity/oauth/token-exchange.ts';
import { collectActions } from '../prefect/catalog/actions.ts';
import { createLookup } from '../prefect/client/lookup.ts';
import { openObjects } from '../prefect/client/open-objects.ts';
import { createRecordLineage, type RecordLineage } from '../prefect/client/record-lineage.ts';
import { createUpstream, type Upstream } from '../prefect/client/upstream.ts';
import { openServiceCredentials } from '../proxies/egress/credentials.ts';
import { openEventCounts } from '../record/ledger/prefect-events/count-events.ts';
import { createCoveredObjects } from '../record/ledger/search/covered-objects.ts';
import { startFeed } from '../record/timeline/feed/feed.ts';
import { prefectSource } from '../record/timeline/prefect-source.ts';
import { createGatewayStatus } from './gateway-status.ts';
import { openAccessReview } from './open-access-review.ts';
import { openConditions, redactorOf } from './open-conditions.ts';
import { type Identity, openIdentity } from './open-identity.ts';
import { openServices, type Services } from './open-services.ts';
import type { ProcessServices } from './process-services.ts';

export interface Runtime {
  readonly config: Config;
  readonly policies: OwnPolicies;
  readonly revision: number;
  readonly decider: Decider;
  readonly answerer: Answerer;
  readonly services: Pick<Services, 'connects' | 'credentials' | 'calls' | 'assert'>;
  readonly upstream: Upstream;
  readonly recordLineage: RecordLineage;
  readonly eventTags: EventTagGuard;
  readonly mustMediate: Conditions['mustMediate'];
  /** Own pages and mediated requests. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Ends streams of events, whose readers connect again. */
  endStreams(): void;
  /** Resolves when the requests that this runtime answers have ended and it has closed what it opened. */
  retire(): Promise<void>;
}

/** A runtime that cannot be built closes what it has opened. */
export async function buildRuntime(shared: ProcessServices, config: Config, policies: OwnPolicies): Promise<Runtime> {
  await using opened = new AsyncDisposableStack();
  const policy = await buildPolicyEngine(shared, config, policies);
  const identity = openIdentity(shared, config, opened);
  const prefect = openPrefect(shared, config, { ...identity, opened });
  const decisions = await openDecisions(shared, config, { ...identity, ...prefect, policy, opened });
  const parts = { ...identity, ...prefect, ...decisions, guardedTags: createGuardedTags(config, shared.store.givenScopes) };
  const streams = new AbortController();
  const { upstream, decider } = parts;
  const accessReview = openAccessReview(shared, config, { upstream, revision: decider.revision, policies, opened });
  const own = buildOwnApp(shared, config, { ...parts, policies, accessReview, retired: streams.signal });
  await own.ready();
  await warnOfLocks({ locks: shared.store.locks, config }, shared.log);
  const requests = createRequestCount();
  const { answerer, services, authenticator, entities, objects, lineage, guardedTags } = parts;
  const inUse = opened.move();
  return {
    ...{ config, policies, revision: decider.revision, decider, answerer, services, upstream, mustMediate: parts.conditions.mustMediate },
    eventTags: createEventTagGuard({ policy, entities: entities.recent, guarded: guardedTags, lookup: objects.lookup, steady: shared.steady }),
    recordLineage: createRecordLineage({ lineage: lineage.now, lineageMemory: shared.lineageMemory, eventMemory: shared.eventMemory }),
    handle(request, response) {
      requests.add(response);
      own.server.emit('request', request, response);
    },
    endStreams: () => streams.abort(),
    async retire() {
      streams.abort();
      await requests.none();
      await authenticator.idle();
      await inUse.disposeAsync();
    },
  };
}

async function buildPolicyEngine({ store, catalogue, steady, log }: ProcessServices, config: Config, policies: OwnPolicies): Promise<PolicyEngine> {
  const actions = collectActions(catalogue.operations);
  const engine = {
    actions,
    policies: { ...loadBuiltInPolicies(), ...policies.texts },
    revision: await store.revisions.publish([decidingText(config), JSON.stringify(actions), JSON.stringify(policies.files)]),
    onError: (detail: string) => log.error({ detail }, 'a policy could not be evaluated: denied'),
  };
  // Its own turns: clients with large bodies do not delay a change of policies.
  return createPolicyEngineInSteps(engine, createTurns(steady));
}

type Prefect = ReturnType<typeof openPrefect>;

/** The client of Prefect, its objects as decisions see them, and the feed of its events. */
function openPrefect(shared: ProcessServices, config: Config, { outbounds, opened }: Pick<Identity, 'outbounds'> & { readonly opened: AsyncDisposableStack }) {
  const { clock, steady, log, store, lineageMemory, eventIntake, paths } = shared;
  const prefect = { ...config.prefect, publicUrl: config.publicUrl };
  const credentials = openServiceCredentials({ config, clock, steady, log, outbounds });
  const balancer = watchUpstreams(config, { ...shared, authenticate: credentials.authenticateCheck });
  opened.defer(balancer.stop);
  const upstream = createUpstream({ ...prefect, clock, pick: balancer.usable });
  opened.defer(upstream.close);
  const begin = async () => startFeed({ intake: eventIntake, prefect, openCounts: () => openEventCounts(paths.ledgerFile), clock, log }).stop;
  opened.defer(shared.coordination.hold('events', begin));
  return { credentials, upstream, balancer, ...openObjects({ upstream, steady, makerOf: store.makers.of, lineageMemory }) };
}

type Decisions = Awaited<ReturnType<typeof openDecisions>>;

/** Who a request comes from, and what it may do. */
async function openDecisions(
  shared: ProcessServices,
  config: Config,
  parts: Identity & Prefect & { readonly policy: PolicyEngine; readonly opened: AsyncDisposableStack },
) {
  const { store, ledger, clock, steady, log, catalogue } = shared;
  const { policy, upstream, entities, lineage, standing, credentials } = parts;
  const lookup = createLookup(upstream);
  const accessStanding = createAccessStanding({ store, config, standing, clock });
  const runTokens = openRunTokens({ ...shared, config, standing, lookup, mayPoll: mayPollBy(policy) });
  const authenticator = createAuthenticator({
    ...{ store, config, clock, steady, confirm: parts.confirm },
    verifiers: [
      parts.jwts.kind,
      createAccessTokenKind({ accessTokens: store.accessTokens, standing: accessStanding }),
      createGrantTokenKind({ grants: store.clientGrants, standing, config, clock }),
      runTokens.kind,
    ],
    certificates: await openCertificates(config, clock),
    onGuessing: (address) => log.warn({ address }, 'many failed credentials'),
    onError: (error) => log.error({ err: error }, 'last use of a credential not noted'),
  });
  const holdsLease = createHoldsLease({ leaseOf: store.leases.of, lineage: lineage.now, lookup });
  const changeNumber = () => store.changeNumber();
  const needsApproval = createNeedsApproval(config.approvals);
  const knowsFlow = store.knownFlows.has;
  const observation = await openObservation({ config, store, clock });
  const decider = createDecider({ authenticator, catalogue, policy, entities, lineage, changeNumber, knowsFlow, holdsLease, needsApproval, observation });
  const services = openServices({ ...shared, config, authenticator, policy, entities: entities.recent, credentials, needsApproval });
  const mayWrite = () => !config.ledger.failClosed || ledger.healthy();
  const limitedRoles = config.limits.flatMap(({ kind, name }) => (kind === 'role' ? [name] : []));
  const redactor = redactorOf(shared, config);
  const { conditions, chargeCall } = openConditions(shared, config, { entities, lookup, redactor, opened: parts.opened, revision: decider.revision });
  const answerer = createAnswerer({ decider, catalogue, clock, steady, mayWrite, services, limitedRoles, mustMediate: conditions.mustMediate });
  return { runTokens, accessStanding, authenticator, decider, services, answerer, conditions, chargeCall, redactor };
}

type OwnParts = Identity & Prefect & Decisions & { readonly guardedTags: GuardedTags; readonly retired: AbortSignal };

interface OwnAppExtras {
  readonly policies: OwnPolicies;
  readonly accessReview: AccessReview;
}

/** The gateway's own pages and routes, and the mediator behind them. */
function buildOwnApp(shared: ProcessServices, config: Config, parts: OwnParts & OwnAppExtras): ReturnType<typeof createOwnApp> {
  const { store, ledger, clock, steady, log } = shared;
  const { authenticator, decider, providers, upstream } = parts;
  const mediator = buildMediator(shared, config, parts);
  return createOwnApp({
    ...{ config, store, providers, ledger, authenticator, decider, clock, steady, log },
    sealer: shared.sealer,
    ledgerSearch: shared.ledgerSearch,
    ...{ runPages: shared.runPages, prefectRuns: prefectSource(upstream) },
    liveSearch: shared.liveSearch,
    retired: parts.retired,
    coveredObjects: createCoveredObjects({ lookup: createLookup(upstream), createdBy: (type, id) => store.makers.createdBy(id, type), steady }),
    policies: { drafts: shared.drafts, apply: shared.applyDraft, obstacle: () => obstacleToReplace(config.policies, parts.policies.files) },
    redactor: parts.redactor,
    evidence: shared.evidence,
    accessReview: parts.accessReview,
    gateway: createGatewayStatus(shared, { node: config.node, ...parts, prefect: parts.balancer }),
    mediator,
    approvals: createApprovalDesk({ approvals: store.approvals, sealer: shared.sealer, clock, revision: decider.revision }),
    mcp: openMcp(shared, config, { ...parts, mediator }),
    authorizationServer: openAuthorizationServer(shared, config, parts),
    checks: {
      stays: async () => !shared.isLeaving(),
      edge: shared.edgeRuns,
      store: () => store.changeNumber().then(() => true),
      ledger: async () => ledger.healthy(),
      upstream: () => prefectAnswers(upstream),
      ...Object.fromEntries(providers.map((provider) => [`idp ${provider.idp}`, provider.ready])),
    },
    revision: decider.revision,
    ...{ sync: shared.sync, sockets: shared.sockets },
  });
}

function buildMediator(shared: ProcessServices, config: Config, { decider, upstream, objects, guardedTags, runTokens, conditions }: OwnParts): Mediator {
  const { store, ledger, clock, log, catalogue, eventRules, bodies } = shared;
  const { makers, knownFlows, leases } = store;
  const warn = (message: string, error: unknown): void => log.warn({ err: error }, message);
  const { desk } = runTokens;
  return createMediator({
    ...{ catalogue, decider, upstream, ledger, clock, eventRules, objects, makers, knownFlows, leases, bodies, config, guardedTags, conditions, warn },
    runTokens: createRunTokenParts({ desk, recent: objects.lookup, makerOf: makers.of, config, ledger, clock, revision: decider.revision, warn }),
  });
}

function openMcp(
  { ledger, ledgerSearch, store, sealer, clock, steady, log, catalogue, membership }: ProcessServices,
  config: Config,
  parts: OwnParts & { readonly mediator: Mediator },
): McpEndpoint {
  const { mediator, decider, chargeCall, redactor } = parts;
  const warn = (message: string) => (error: unknown) => log.warn({ err: error }, message);
  return createMcpEndpoint({
    ...{ mediator, decider, catalogue, clock, chargeCall, redactor, ledgerSearch, sealer, tools: TOOLS, revision: decider.revision },
    approvals: store.approvals,
    limits: limitsOfNode(config, membership?.count() ?? 1).limits,
    steady,
    publicUrl: config.publicUrl,
    record: (record) => ledger.append(record).catch(warn('a request of an agent could not be recorded')),
    onError: warn('the MCP library reports an error'),
  });
}

function openAuthorizationServer(shared: ProcessServices, config: Config, parts: OwnParts): AuthorizationServer {
  const { jwts, loginOutbounds, clients, standing, accessStanding, authenticator, decider } = parts;
  const { store, ledger, clock, steady, log, signingKeys, sealer } = shared;
  const proofs = openProofs({ config, jwts, outboundFor: loginOutbounds.to, marks: store.marks, clock });
  return createAuthorizationServer({
    ...{ store, config, clients, standing, signingKeys, sealer, clock, steady, revision: decider.revision },
    loginLifeMs: config.cliSeconds * 1000,
    sessionLimits: config.sessions,
    exchange: createTokenExchange({
      ...{ config, agents: createAgents({ store, config, clock }), accessTokens: store.accessTokens, locks: store.locks, clock, proofs },
      ...{ authenticator, standing: accessStanding },
    }),
    record: (record) => ledger.append(record),
    failClosed: config.ledger.failClosed,
    onEnded: shared.sync,
    onError: (error) => log.error({ err: error }, 'a token request could not be answered as it should'),
  });
}
