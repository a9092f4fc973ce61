// The one store: tokens, accounts, identities, sessions, login attempts, replay marks, locks, access tokens, makers, policy sets, client grants,
// device codes, authorization codes, tokens of flow runs, flows known by name, leases of slots, purges of response caches,
// the ledgers of all nodes and how far sinks have them, uses, runs and taints of agents, approvals, observe mode, users and groups of SCIM, nodes, their keys and duties, the revision
// and the change number.
import type { Clock } from '../contract/clock.ts';
import type { StoreAddress } from '../contract/store-address.ts';
import { type AccessTokens, createAccessTokens } from './access-tokens.ts';
import { type Accounts, createAccounts } from './accounts.ts';
import { type AgentRuns, createAgentRuns } from './agent-runs.ts';
import { type AgentUses, createAgentUses } from './agent-uses.ts';
import { type Approvals, createApprovals } from './approvals.ts';
import { type AuthorizationCodes, createAuthorizationCodes } from './authorization-codes.ts';
import { type CacheGenerations, createCacheGenerations } from './cache-generations.ts';
import { createChangeNumber, raiseChangeNumber } from './changes.ts';
import { type ClientGrants, createClientGrants } from './client-grants.ts';
import { type Coordination, type CoordinationParts, soleNode } from './coordination.ts';
import type { Database, OpenedDatabase } from './database.ts';
import { createDeviceCodes, type DeviceCodes } from './device-codes.ts';
import { createGivenScopes, type GivenScopes } from './given-scopes.ts';
import { createIdentities, type Identities } from './identities.ts';
import { createIdpTokens, type IdpTokens } from './idp-tokens.ts';
import { createKnownFlows, type KnownFlows } from './known-flows.ts';
import { createLeases, type Leases } from './leases.ts';
import { createLedgerExports, type LedgerExports } from './ledger-exports.ts';
import { createLedgerShelf, type LedgerShelf } from './ledger-shelf.ts';
import { createLocks, type Locks } from './locks.ts';
import { createLoginAttempts, type LoginAttempts } from './login-attempts.ts';
import { createMakers, type Makers } from './makers.ts';
import { createMarks, type Marks } from './marks.ts';
import { createNodes, type Nodes } from './nodes.ts';
import { createObservations, type Observations } from './observations.ts';
import { createPolicySets, type PolicySets } from './policy-sets.ts';
import type { StoreProgram } from './postgres-versions.ts';
import { createRevisions, type Revisions } from './revisions.ts';
import { createRunTokens, type RunTokens } from './run-tokens.ts';
import { createScim, type Scim } from './scim.ts';
import { createSessions, type Sessions } from './sessions.ts';
import { createSharedKeys, type SharedKeys } from './shared-keys.ts';
import { openSqlite } from './sqlite.ts';
import { createSqliteTables } from './sqlite-schema.ts';
import { createTaints, type Taints } from './taints.ts';
import { createTokens, type Tokens } from './tokens.ts';

export interface Store {
  /** The given clock; the clock of the system is corrected by the clock of Postgres. */
  readonly clock: Clock;
  /** Grows with every security change (revoke, rotate, password, remove, logout, lock), in the change's own transaction. */
  changeNumber(): Promise<number>;
  /** For changes that are not in the store itself; answers the new number. */
  bump(reason: string): Promise<number>;
  readonly tokens: Tokens;
  readonly accounts: Accounts;
  /** Of tokens and accounts. */
  readonly givenScopes: GivenScopes;
  readonly sessions: Sessions;
  readonly loginAttempts: LoginAttempts;
  readonly identities: Identities;
  readonly idpTokens: IdpTokens;
  readonly marks: Marks;
  readonly locks: Locks;
  readonly accessTokens: AccessTokens;
  readonly makers: Makers;
  readonly policySets: PolicySets;
  readonly clientGrants: ClientGrants;
  readonly deviceCodes: DeviceCodes;
  readonly authorizationCodes: AuthorizationCodes;
  readonly runTokens: RunTokens;
  readonly knownFlows: KnownFlows;
  readonly leases: Leases;
  readonly ledgerShelf: LedgerShelf;
  readonly ledgerExports: LedgerExports;
  readonly cacheGenerations: CacheGenerations;
  readonly agentUses: AgentUses;
  readonly agentRuns: AgentRuns;
  readonly approvals: Approvals;
  readonly taints: Taints;
  readonly scim: Scim;
  readonly observations: Observations;
  readonly revisions: Revisions;
  readonly nodes: Nodes;
  readonly sharedKeys: SharedKeys;
  /** With the other nodes of a Postgres store; call it once. A process with SQLite has every duty. */
  coordinate(parts: CoordinationParts): Promise<Coordination>;
  close(): Promise<void>;
}

export interface StoreParts {
  /** An SQLite file is created with mode 0600. Several processes may have a store open at once. */
  readonly at: StoreAddress;
  readonly clock: Clock;
  /** To Postgres at most, at once. */
  readonly connections?: number;
  /** Only tests of Postgres have another one. */
  readonly program?: StoreProgram;
}

const FEW_CONNECTIONS = 2;

/** Opens or creates the store. Throws `store-unusable`, `state-newer` or another error of the store, each with the remedy. */
export async function openStore(parts: StoreParts): Promise<Store> {
  const database = await openDatabase(parts);
  const { clock } = database;
  const agentUses = createAgentUses(database, clock);
  return {
    clock,
    changeNumber: createChangeNumber(database),
    bump: (reason) => database.durably((transaction) => raiseChangeNumber(transaction, reason)),
    tokens: createTokens(database, clock),
    accounts: createAccounts(database, clock),
    givenScopes: createGivenScopes(database),
    sessions: createSessions(database, clock),
    loginAttempts: createLoginAttempts(database, clock),
    identities: createIdentities(database, clock),
    idpTokens: createIdpTokens(database, clock),
    marks: createMarks(database, clock),
    locks: createLocks(database, clock),
    accessTokens: createAccessTokens(database, clock),
    makers: createMakers(database, clock),
    policySets: createPolicySets(database, clock),
    clientGrants: createClientGrants(database, clock),
    deviceCodes: createDeviceCodes(database, clock),
    authorizationCodes: createAuthorizationCodes(database, clock),
    runTokens: createRunTokens(database, clock),
    knownFlows: createKnownFlows(database, clock),
    leases: createLeases(database, clock),
    ledgerShelf: createLedgerShelf(database),
    ledgerExports: createLedgerExports(database, clock),
    cacheGenerations: createCacheGenerations(database),
    agentUses,
    agentRuns: createAgentRuns(database, clock),
    approvals: createApprovals(database, clock),
    taints: createTaints(database, clock),
    scim: createScim(database, clock),
    observations: createObservations(database, clock),
    revisions: createRevisions(database),
    nodes: createNodes(database, clock),
    sharedKeys: createSharedKeys(database),
    coordinate: (coordination) => coordinate(parts.at, database, coordination),
    async close() {
      await agentUses.flush().finally(() => database.close());
    },
  };
}

async function openDatabase({ at, clock, connections = FEW_CONNECTIONS, program }: StoreParts): Promise<OpenedDatabase> {
  if (typeof at !== 'string') return await (await import('./postgres.ts')).openPostgres({ at, clock, connections, program });
  const database = openSqlite(at);
  try {
    await createSqliteTables(database);
    return { ...database, clock, assertUsable: async () => undefined };
  } catch (error) {
    await database.close();
    throw error;
  }
}

async function coordinate(at: StoreAddress, database: Database, parts: CoordinationParts): Promise<Coordination> {
  if (typeof at === 'string') return soleNode(parts);
  return (await import('./postgres-direct.ts')).openDirect({ ...parts, at: parts.listenAt ?? at, database });
}
