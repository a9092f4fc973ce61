// Everything that is made from one configuration: built at the start, and anew by each reload.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { createAccessTokenKind } from './authn/access-token/verify.ts';
import { createAuthenticator } from './authn/authenticator.ts';
import { createProveAws } from './authn/aws-iam/prove.ts';
import { openCertificates } from './authn/certificate/open.ts';
import type { ConfirmMemory } from './authn/external/confirm.ts';
import { LOGIN_TIMEOUT_MS, openProviders } from './authn/external/open-providers.ts';
import { confirmedGrants, createGrantStanding, type GrantStanding, type StandingParts } from './authn/grant/standing.ts';
import { createGrantTokenKind } from './authn/grant/verify.ts';
import { createJwts, type Jwts } from './authn/jwt/verify.ts';
import { warnOfLocks } from './authn/lock-notes.ts';
import { createOutbounds, type Outbounds } from './authn/outbounds.ts';
import { createRoleBook } from './authn/roles.ts';
import { openRunTokens } from './authn/run-token/open.ts';
import { collectActions } from './catalog/actions.ts';
import type { Catalogue } from './catalog/catalogue.ts';
import { ensureSigner } from './certificates/signer.ts';
import type { Config } from './config/config.ts';
import type { StatePaths } from './config/state-dir.ts';
import { confirmWith } from './confirm-sessions.ts';
import type { Clock } from './contract/clock.ts';
import { type Answerer, createAnswerer } from './decide/answer.ts';
import { createDecider, type Decider } from './decide/decider.ts';
import { createEventTagGuard, type EventTagGuard } from './decide/event-tags.ts';
import { createHoldsLease } from './decide/holds-lease.ts';
import { openServices, type Services } from './decide/open-services.ts';
import { decidingText, publishRevision } from './decide/revision.ts';
import { prefectAnswers } from './edge/watch-prefect.ts';
import { watchUpstreams } from './edge/watch-services.ts';
import { openServiceCredentials } from './egress/credentials.ts';
import type { EventMemory } from './events/memory.ts';
import type { EventRules } from './events/rules.ts';
import { createOwnApp } from './http/own-app.ts';
import { createRequestCount } from './http/request-count.ts';
import type { Sealer } from './keys/sealer.ts';
import type { SigningKeys } from './keys/signing-keys.ts';
import type { Ledger } from './ledger/ledger.ts';
import { openEventCounts } from './ledger/prefect-events/count-events.ts';
import type { LedgerSearch } from './ledger/search/search.ts';
import { type BodyWork, createTurns } from './mediate/body-work.ts';
import { createMediator } from './mediate/mediator.ts';
import { createRunParts } from './mediate/run-parts.ts';
import { type AuthorizationServer, createAuthorizationServer } from './oauth/server.ts';
import { createTokenExchange, type Prove, SUBJECT_TOKEN } from './oauth/token-exchange.ts';
import { createPolicyEngineInSteps } from './policy/engine.ts';
import { mayPollBy } from './policy/may-poll.ts';
import type { OwnPolicies } from './policy/own/check.ts';
import { loadBuiltInPolicies } from './policy/policies.ts';
import type { KinMemory } from './prefect/kin.ts';
import { createLearnKin, type LearnKin } from './prefect/learn-kin.ts';
import { createLookup } from './prefect/lookup.ts';
import { openObjects } from './prefect/open-objects.ts';
import { createUpstream, type Upstream } from './prefect/upstream.ts';
import { createGuardedTags } from './scope/guarded.ts';
import type { Exports } from './sinks/exports.ts';
import type { Tracing } from './sinks/spans/tracing.ts';
import type { ClientGrant } from './store/client-grants.ts';
import type { StoredSession } from './store/sessions.ts';
import type { Store } from './store/store.ts';
import { startFeed } from './timeline/feed/feed.ts';
import type { Intake } from './timeline/feed/intake.ts';

/** What outlives every configuration. */
export interface House {
  readonly paths: StatePaths;
  readonly clock: Clock;
  /** For intervals: src/contract/clock.ts. */
  readonly steady: Clock;
  readonly log: Logger;
  readonly catalogue: Catalogue;
  readonly store: Store;
  readonly ledger: Ledger;
  /** Large bodies have one budget and one thread, whatever the configuration. */
  readonly bodies: BodyWork;
  /** One thread reads for the API, whatever the configuration. */
  readonly ledgerSearch: LedgerSearch;
  readonly sealer: Sealer;
  readonly signingKeys: SigningKeys;
  readonly confirmMemory: { readonly sessions: ConfirmMemory; readonly grants: ConfirmMemory<ClientGrant> };
  /** What the tokens of flow runs are made with. */
  readonly runTokenKey: Buffer;
  /** Which run was started by which. */
  readonly kinMemory: KinMemory;
  /** One memory for the sockets and for `POST /events`. */
  readonly eventRules: EventRules;
  /** What is subscribed to goes there, whatever the configuration. */
  readonly eventIntake: Intake;
  readonly eventMemory: EventMemory;
  /** Makes a change hold: no remembered decision and no open socket outlives it. */
  readonly sync: () => Promise<void>;
  readonly edgeRuns: () => Promise<boolean>;
  /** Where records are sent: a sink goes on over a reload. */
  readonly exports: Exports;
  readonly tracing: Tracing;
}

export interface Rooms {
  readonly config: Config;
  readonly policies: OwnPolicies;
  readonly revision: number;
  readonly decider: Decider;
  readonly answerer: Answerer;
  readonly services: Pick<Services, 'connects' | 'credentials' | 'calls' | 'assert'>;
  readonly upstream: Upstream;
  readonly learnKin: LearnKin;
  readonly eventTags: EventTagGuard;
  /** Own pages and mediated requests. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Resolves when the requests that began here have ended and nothing of these rooms is open. */
  retire(): Promise<void>;
}

export async function buildRooms(house: House, config: Config, policies: OwnPolicies): Promise<Rooms> {
  const { store, ledger, clock, steady, log, catalogue } = house;
  const actions = collectActions(catalogue.operations);
  const engine = {
    actions,
    policies: { ...loadBuiltInPolicies(), ...policies.texts },
    revision: publishRevision(join(house.paths.root, 'revision.json'), [decidingText(config), JSON.stringify(actions), JSON.stringify(policies.files)]),
    onError: (detail: string) => log.error({ detail }, 'a policy could not be evaluated: denied'),
  };
  // Its own turns: clients with large bodies do not delay a change of policies.
  const policy = await createPolicyEngineInSteps(engine, createTurns(steady));
  const loginOutbounds = createOutbounds(LOGIN_TIMEOUT_MS);
  const samlSigner = () => ensureSigner(house.paths.samlSigner, clock());
  const providers = openProviders({ config, outboundFor: loginOutbounds.to, samlSigner, marks: store.marks, clock, steady });
  const outbounds = createOutbounds();
  const jwts = createJwts({ config, clock, steady, outboundFor: outbounds.to, onError: (error) => log.warn({ err: error }, 'keys of an issuer not fetched') });
  const confirm = confirmWith<StoredSession>(house, { config, providers, sessions: store.sessions, memory: house.confirmMemory.sessions });
  const confirmGrant = confirmWith(house, { config, providers, sessions: confirmedGrants(store.clientGrants), memory: house.confirmMemory.grants });
  const standing = standingOf(house, config, { confirm: confirmGrant, confirmSession: confirm });
  const credentials = openServiceCredentials({ config, clock, steady, log, outbounds });
  const balancer = watchUpstreams(config, { ...house, credentials });
  const upstream = createUpstream({ ...config.prefect, publicUrl: config.publicUrl, clock, pick: balancer.usable });
  const { objects, entities, kin } = openObjects({ upstream, steady, makerOf: store.makers.of, kinMemory: house.kinMemory });
  const runTokens = openRunTokens({ ...house, config, standing, lookup: createLookup(upstream), mayPoll: mayPollBy(policy) });
  const authenticator = createAuthenticator({
    store,
    config,
    clock,
    steady,
    confirm,
    verifiers: [
      jwts.kind,
      createAccessTokenKind({ accessTokens: store.accessTokens, config, clock }),
      createGrantTokenKind({ grants: store.clientGrants, standing, clock }),
      runTokens.kind,
    ],
    certificates: await openCertificates(config, clock),
    onGuessing: (address) => log.warn({ address }, 'many failed credentials'),
    onError: (error) => log.error({ err: error }, 'last use of a credential not noted'),
  });
  const prefect = { ...config.prefect, publicUrl: config.publicUrl };
  const feed = startFeed({ intake: house.eventIntake, prefect, openCounts: () => openEventCounts(house.paths.ledgerFile), clock, log });
  const knows = { knowsFlow: store.knownFlows.has, holdsLease: createHoldsLease({ leaseOf: store.leases.of, kin: kin.now, lookup: createLookup(upstream) }) };
  const decider = createDecider({ authenticator, catalogue, policy, entities, kin, changeNumber: () => store.changeNumber(), ...knows });
  const services = openServices({ ...house, config, authenticator, policy, entities: entities.recent, credentials });
  const answerer = createAnswerer({
    decider,
    catalogue,
    clock,
    steady,
    mayWrite: () => !config.ledger.failClosed || ledger.healthy(),
    services,
    limitedRoles: config.limits.flatMap(({ kind, name }) => (kind === 'role' ? [name] : [])),
  });
  const warn = (message: string, error: unknown): void => log.warn({ err: error }, message);
  const guardedTags = createGuardedTags(config.roles, store.givenScopes);
  const mediator = createMediator({
    catalogue,
    decider,
    upstream,
    ledger,
    clock,
    eventRules: house.eventRules,
    objects,
    makers: store.makers,
    knownFlows: store.knownFlows,
    leases: store.leases,
    bodies: house.bodies,
    config,
    guardedTags,
    warn,
    runTokens: createRunParts({
      desk: runTokens.desk,
      recent: objects.lookup,
      makerOf: store.makers.of,
      config,
      ledger,
      clock,
      revision: decider.revision,
      warn,
    }),
  });
  const own = createOwnApp({
    config,
    store,
    providers,
    sealer: house.sealer,
    ledger,
    ledgerSearch: house.ledgerSearch,
    authenticator,
    decider,
    mediator,
    authorizationServer: openAuthorizationServer(house, { config, jwts, outbounds: loginOutbounds, standing, revision: decider.revision }),
    clock,
    steady,
    log,
    checks: {
      edge: house.edgeRuns,
      store: () => store.changeNumber().then(() => true),
      ledger: async () => ledger.healthy(),
      upstream: () => prefectAnswers(upstream),
      ...Object.fromEntries(providers.map((provider) => [`idp ${provider.idp}`, provider.ready])),
    },
    revision: decider.revision,
    sync: house.sync,
  });
  await own.ready();
  await warnOfLocks({ locks: store.locks, config }, log);
  const requests = createRequestCount();
  return {
    config,
    policies,
    revision: decider.revision,
    decider,
    answerer,
    services,
    upstream,
    eventTags: createEventTagGuard({ policy, entities: entities.recent, guarded: guardedTags, lookup: objects.lookup, steady }),
    learnKin: createLearnKin({ kin: kin.now, kinMemory: house.kinMemory, eventMemory: house.eventMemory }),
    handle(request, response) {
      requests.add(response);
      own.server.emit('request', request, response);
    },
    async retire() {
      await requests.none();
      await feed.stop();
      await balancer.stop();
      await upstream.close();
      await authenticator.idle();
      await loginOutbounds.close();
      await outbounds.close();
    },
  };
}

/** Does a login of the command line still stand, and for whom? */
function standingOf(
  { store, clock }: House,
  { identityProviders, roles, sessions: limits, cliSeconds }: Config,
  confirms: Pick<StandingParts, 'confirm' | 'confirmSession'>,
): GrantStanding {
  const roleBook = createRoleBook(roles);
  return createGrantStanding({ sessions: store.sessions, providers: identityProviders, roleBook, limits, lifeMs: cliSeconds * 1000, clock, ...confirms });
}

interface TokenRoom {
  readonly config: Config;
  readonly jwts: Jwts;
  readonly outbounds: Outbounds;
  readonly standing: GrantStanding;
  readonly revision: number;
}

function openAuthorizationServer(house: House, { config, jwts, outbounds, standing, revision }: TokenRoom): AuthorizationServer {
  const { store, ledger, clock, steady, log } = house;
  const aws = config.identityProviders.find((provider) => provider.type === 'aws-iam');
  const proveAws = aws && createProveAws({ provider: aws, outbound: outbounds.to(aws.caFile), marks: store.marks, clock });
  const proofs = new Map<string, Prove>([[SUBJECT_TOKEN.jwt, jwts.prove], ...(proveAws === undefined ? [] : [[SUBJECT_TOKEN.awsIam, proveAws] as const])]);
  return createAuthorizationServer({
    store,
    config,
    loginLifeMs: config.cliSeconds * 1000,
    sessionLimits: config.sessions,
    standing,
    exchange: createTokenExchange({ config, accessTokens: store.accessTokens, locks: store.locks, clock, proofs }),
    signingKeys: house.signingKeys,
    sealer: house.sealer,
    record: (record) => ledger.append(record),
    failClosed: config.ledger.failClosed,
    onEnded: house.sync,
    onError: (error) => log.error({ err: error }, 'a token request could not be answered as it should'),
    clock,
    steady,
    revision,
  });
}
