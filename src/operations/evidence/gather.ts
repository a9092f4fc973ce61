// Gathers the report's data from the store, the ledger and the configuration. Changes nothing.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import manifest from '../../../package.json' with { type: 'json' };
import { createEngineOfChecked } from '../../authorization/policy/engine.ts';
import { rightOn } from '../../authorization/policy/rights.ts';
import { createRoleActions } from '../../authorization/policy/role-actions.ts';
import type { Config, IdentityProvider } from '../../config/config.ts';
import { lockText } from '../../contract/lock.ts';
import { BUILT_IN_ROLES } from '../../contract/roles.ts';
import { isoTime } from '../../contract/time-text.ts';
import { collectActions } from '../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../prefect/catalog/catalogue.ts';
import type { LedgerReader } from '../../record/ledger/query.ts';
import type { Store } from '../../store/store.ts';
import { approvalRules } from './approvals.ts';
import { gatherBoundary } from './boundary.ts';
import type { EvidenceData, Gateway, LedgerState, RouteRow } from './data.ts';
import { createLateUse, type LateUse } from './late-use.ts';
import { gatherJoiners, gatherLeavers } from './lifecycle.ts';
import { createPastRights } from './past-rights.ts';
import { gatherPolicies } from './policy-changes.ts';
import { gatherAgents, gatherBindings, gatherPrincipals } from './principals.ts';
import { gatherTokens } from './tokens.ts';
import { createUsage, type Usage, type UsageLimits } from './usage.ts';

export interface EvidenceSources {
  readonly config: Config;
  readonly configFile: string;
  readonly configInUse: string;
  readonly store: Store;
  readonly ledger: LedgerReader;
  /** Verifies the whole ledger, not only the period. */
  readonly verify: () => LedgerState;
  /** RFC 3339 in UTC with milliseconds; `to` is exclusive, and the report ends now at the latest. */
  readonly from: string;
  readonly to: string;
  readonly by: string;
  readonly nginx: string | null;
  readonly nowMs: number;
  readonly limits?: UsageLimits;
  /** The number of records read so far. */
  readonly onRecord?: (count: number) => void;
}

export async function gatherEvidence(sources: EvidenceSources): Promise<EvidenceData> {
  const { config, store, from, nowMs } = sources;
  const now = isoTime(nowMs);
  const to = isoTime(Math.min(Date.parse(sources.to), nowMs));
  const accountsIdp = config.identityProviders.find(({ type }) => type === 'accounts')?.id ?? 'break-glass';
  const late = createLateUse(accountsIdp);
  const usage = await readUsage({ ...sources, to }, late);
  const actions = collectActions(OPERATIONS);
  const engine = createEngineOfChecked({ actions, revision: 0 });
  const principals = await gatherPrincipals({
    config,
    store,
    usage,
    roles: createRoleActions(engine, actions),
    pastRights: createPastRights(sources.ledger, to),
    from,
    to,
    nowMs,
  });
  const [tokens, identities, sets, locks] = await Promise.all([store.tokens.list(), store.identities.list(), store.policySets.list(), store.locks.list()]);
  const lifecycle = { from, to, usage, late, identities, tokens, accountsIdp };
  return {
    period: { from, to, ends: sources.to },
    made: { at: now, by: sources.by },
    gateway: gatewayOf(sources),
    activity: usage.activity,
    principals,
    bindings: gatherBindings(config, principals),
    agents: gatherAgents(config, principals),
    joiners: gatherJoiners(lifecycle),
    leavers: gatherLeavers(lifecycle),
    tokens: gatherTokens(tokens, usage, { from, nowMs }),
    policies: gatherPolicies(sets, { from, to }),
    denials: { by_reason: usage.denials.byReason, by_principal: usage.denials.byPrincipal },
    approvals: { rules: approvalRules(config), requests: usage.approvals },
    locks: locks.map((lock) => ({
      target: lockText(lock),
      why: lock.why,
      by: lock.by,
      since: isoTime(lock.createdMs),
      until: lock.expiresMs === null ? null : isoTime(lock.expiresMs),
    })),
    events: usage.events,
    ledger: sources.verify(),
    coverage: routes({ engine, actions }),
    boundary: gatherBoundary(config, nowMs),
    limits: usage.limits,
  };
}

async function readUsage({ ledger, from, to, limits, onRecord }: EvidenceSources, late: LateUse): Promise<Usage> {
  const usage = createUsage(limits);
  let count = 0;
  for await (const record of ledger.audit({ since: from, until: to })) {
    usage.add(record);
    late.add(record);
    count += 1;
    if (count % 10_000 === 0) onRecord?.(count);
  }
  return usage.whole();
}

function gatewayOf({ config, configFile, configInUse, nginx }: EvidenceSources): Gateway {
  return {
    public_url: `${config.publicUrl.origin}${config.publicUrl.basePath}`,
    lictor: manifest.version,
    node: process.versions.node,
    nginx,
    configuration: { file_sha256: digestOf(configFile), in_use_sha256: digestOf(configInUse) },
    sessions: { idle_seconds: config.sessions.idleSeconds, absolute_seconds: config.sessions.absoluteSeconds, command_line_seconds: config.cliSeconds },
    ledger_retention_seconds: config.ledger.retentionSeconds,
    fail_closed: config.ledger.failClosed,
    identity_providers: config.identityProviders.map((provider) => ({ id: provider.id, type: provider.type, issuer: issuerOf(provider) })),
  };
}

function issuerOf(provider: IdentityProvider): string | null {
  if ('issuer' in provider) return provider.issuer;
  if (provider.type === 'saml') return 'url' in provider.metadata ? provider.metadata.url : provider.metadata.file;
  return null;
}

function routes(parts: Parameters<typeof rightOn>[0]): readonly RouteRow[] {
  return OPERATIONS.toSorted((a, b) => (`${a.path} ${a.method}` < `${b.path} ${b.method}` ? -1 : 1)).map((operation) => ({
    method: operation.method,
    path: operation.path,
    way: operation.operationId.startsWith('socket:') ? 'socket' : operation.taken,
    action: operation.action,
    rights: Object.fromEntries(BUILT_IN_ROLES.map((role) => [role, rightOn(parts, role, operation)])),
  }));
}

function digestOf(file: string): string | null {
  return existsSync(file) ? createHash('sha256').update(readFileSync(file)).digest('hex') : null;
}
