import type { FastifyInstance } from 'fastify';
import type { Verdict } from '../../authorization/mediate/conditions.ts';
import type { Lookup } from '../../authorization/mediate/handler.ts';
import type { MediatedRequest, MediatedResponse } from '../../authorization/mediate/mediator.ts';
import type { PolicyTexts } from '../../authorization/policy/policies.ts';
import type { Config } from '../../config/config.ts';
import type { OpenSocket } from '../../contract/open-socket.ts';
import type { ReasonCode } from '../../contract/reasons.ts';
import type { LedgerRecord, NewRecord } from '../../contract/record.ts';
import type { Authenticator } from '../../identity/authn/authenticator.ts';
import type { ConfirmMemory } from '../../identity/authn/external/confirm.ts';
import type { TestStore } from '../../identity/authn/store.fixture.ts';
import type { DocumentNetwork } from '../../identity/oauth/client-documents.ts';
import type { Page, PageQuestion, Question } from '../../record/ledger/search/questions.ts';
import type { ApiRoute } from './api/api-route.ts';
import type { PolicyWork } from './api/policies/policy-work.fixture.ts';
import type { OwnAppParts } from './own-app.ts';

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
  /** Who asked the threads of the ledger and of rights. */
  readonly askers: string[];
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

export interface Given {
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
