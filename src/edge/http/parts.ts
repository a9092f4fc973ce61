// The dependencies of the gateway's pages. Each route file picks its own.
import type { Logger } from 'pino';
import type { ApprovalDesk } from '../../authorization/approvals/desk.ts';
import type { Decider } from '../../authorization/decide/decider.ts';
import type { Drafts } from '../../authorization/explain/drafts/drafts.ts';
import type { AccessReview } from '../../authorization/explain/review/review.ts';
import type { Mediator } from '../../authorization/mediate/mediator.ts';
import type { Obstacle } from '../../authorization/policy/own/obstacle.ts';
import type { Config } from '../../config/config.ts';
import type { Sealer } from '../../config/keys/sealer.ts';
import type { Clock, SteadyClock } from '../../contract/clock.ts';
import type { OpenSockets } from '../../contract/open-socket.ts';
import type { DraftOutcome, DraftRequest } from '../../contract/policy-outcome.ts';
import type { Redactor } from '../../contract/untrusted/redact.ts';
import type { People } from '../../identity/authn/accounts/people.ts';
import type { Authenticator } from '../../identity/authn/authenticator.ts';
import type { ExternalLogins } from '../../identity/authn/external/login.ts';
import type { ExternalProvider } from '../../identity/authn/external/provider.ts';
import type { AuthorizationServer } from '../../identity/oauth/server.ts';
import type { Ledger } from '../../record/ledger/ledger.ts';
import type { CoveredObjects } from '../../record/ledger/search/covered-objects.ts';
import type { LedgerSearch } from '../../record/ledger/search/search.ts';
import type { RunPages } from '../../record/timeline/pages/pages.ts';
import type { PrefectSource } from '../../record/timeline/prefect-source.ts';
import type { Store } from '../../store/store.ts';
import type { McpEndpoint } from '../mcp/endpoint.ts';
import type { EvidenceDesk } from './api/evidence/protocol.ts';
import type { GatewayStatus } from './api/health/gateway-status.ts';
import type { Streams } from './api/streams.ts';
import type { ConsoleFiles } from './console-files.ts';
import type { Pages } from './pages.ts';

export interface OwnAppParts {
  readonly config: Pick<Config, 'publicUrl' | 'identityProviders' | 'roles' | 'sessions' | 'cliSeconds' | 'tls' | 'ledger' | 'agents' | 'scim' | 'services'>;
  readonly store: Pick<
    Store,
    | 'accounts'
    | 'sessions'
    | 'loginAttempts'
    | 'identities'
    | 'idpTokens'
    | 'locks'
    | 'agentUses'
    | 'agentRuns'
    | 'approvals'
    | 'taints'
    | 'scim'
    | 'changeNumber'
    | 'tokens'
    | 'accessTokens'
    | 'clientGrants'
    | 'policySets'
  >;
  /** The identity providers for logins of people. */
  readonly providers: readonly ExternalProvider[];
  readonly sealer: Sealer;
  readonly ledger: Pick<Ledger, 'append'>;
  readonly runPages: Pick<RunPages, 'timeline' | 'recent'>;
  /** What Prefect says about runs, for their timelines. */
  readonly prefectRuns: PrefectSource;
  /** Questions about rights. */
  readonly accessReview: Pick<AccessReview, 'ask'>;
  readonly gateway: GatewayStatus;
  readonly evidence: EvidenceDesk;
  readonly ledgerSearch: Pick<LedgerSearch, 'page' | 'ask'>;
  /** Another thread, for those who follow the ledger: no search delays them. */
  readonly liveSearch: Pick<LedgerSearch, 'ask'>;
  /** Aborts when another configuration answers requests: streams then end, and their readers connect again. */
  readonly retired: AbortSignal;
  readonly authenticator: Pick<Authenticator, 'authenticate'>;
  readonly decider: Pick<Decider, 'authorizeOwn' | 'authorizeOwnList'>;
  /** For readers of the ledger with limits. */
  readonly coveredObjects: CoveredObjects;
  readonly mediator: Mediator;
  readonly approvals: ApprovalDesk;
  /** Removes secrets from arguments. */
  readonly redactor: () => Promise<Redactor>;
  readonly mcp: McpEndpoint;
  readonly authorizationServer: AuthorizationServer;
  /** Own policies: work on drafts, and how they come into force. */
  readonly policies: {
    readonly drafts: Drafts;
    apply(request: DraftRequest): Promise<DraftOutcome>;
    /** Why no draft can come into force at the moment. */
    obstacle(): Obstacle | undefined;
  };
  readonly clock: Clock;
  readonly steady: SteadyClock;
  readonly log: Pick<Logger, 'error' | 'warn'>;
  /** The checks of `/.lictor/ready`, by name. False or a rejection: not ready. */
  readonly checks: Readonly<Record<string, () => Promise<boolean>>>;
  /** Left out: the files of the built console. Tests pass their own. */
  readonly console?: () => ConsoleFiles | undefined;
  /** Resolves when no cached decision and no open socket outlives a change. */
  readonly sync: () => Promise<void>;
  /** The open sockets of all principals. */
  readonly sockets: OpenSockets;
  /** For the records. */
  readonly revision: number;
}

export interface RouteParts extends OwnAppParts {
  readonly streams: Streams;
  readonly people: People;
  readonly logins: ExternalLogins;
  readonly pages: Pages;
  /** `BASE/.lictor`. */
  readonly prefix: string;
}
