// For tests: a mediator whose requests wait for approvals in a real store.
import type { ApprovalRule } from '../../config/config.ts';
import { openRedactor } from '../../contract/untrusted/redact.ts';
import { openTestStore, type TestStore } from '../../identity/authn/store.fixture.ts';
import type { StoredApproval } from '../../store/approvals.ts';
import { createConditions } from '../mediate/conditions.ts';
import { json, type Options, prefectWith, type Sent, startMediator } from '../mediate/mediator.fixture.ts';
import { createApprovalConditions } from './condition.ts';
import { createHold, type Hold, type HoldParts } from './hold.ts';

export const COPILOT: NonNullable<Options['principal']> = { id: 'agent:copilot', kind: 'agent', onBehalfOf: ['alice@corp'] };

export function aRule(differing: Partial<ApprovalRule> = {}): ApprovalRule {
  return { name: 'r', principals: ['agent:*'], actions: ['variables.write'], approvers: 'sponsor', expiresMs: 900_000, notify: null, ...differing };
}

export interface HeldMediator {
  readonly home: TestStore;
  readonly announced: StoredApproval[];
  /** What reached Prefect with a body. */
  sent(): number;
  send(sent?: Partial<Sent>, differing?: Partial<HeldOptions>): Promise<Record<string, unknown> & { readonly status: number }>;
  record(): ReturnType<ReturnType<typeof startMediator>['record']>;
  approve(id: unknown): Promise<boolean>;
  deny(id: unknown): Promise<boolean>;
  close(): Promise<void>;
}

export interface HeldOptions {
  readonly rules: readonly ApprovalRule[];
  readonly revision: number;
  readonly mediator: Options;
  readonly parts: Partial<HoldParts>;
  readonly hold: (made: Hold) => Hold;
}

export async function startHeld(options: Partial<HeldOptions> = {}): Promise<HeldMediator> {
  const home = await openTestStore();
  const announced: StoredApproval[] = [];
  let last = startMediator();
  let sent = 0;
  const mediatorOf = ({ rules = [aRule()], revision = 7, mediator = {}, parts = {}, hold: wrap = (made) => made }: Partial<HeldOptions>) => {
    const config = {
      agents: [{ name: 'copilot', sponsor: { name: 'alice', idp: 'corp' } }],
      publicUrl: { origin: 'https://gate.example', basePath: '' },
    };
    const announce = (approval: StoredApproval) => void announced.push(approval);
    const redactor = () => openRedactor({ known: [] });
    const hold = createHold({
      approvals: home.store.approvals,
      config,
      clock: home.clock,
      revision,
      nameOf: async () => 'a name',
      announce,
      redactor,
      ...parts,
    });
    const conditions = createConditions(createApprovalConditions(rules, wrap(hold)));
    const prefect: NonNullable<Options['prefect']> = (request) => {
      if (request.method !== 'GET' && !request.path.endsWith('/filter')) sent += 1;
      return prefectWith({}, { status: 201, body: json({ id: 'v1' }) })(request);
    };
    return startMediator({ prefect, principal: COPILOT, ...mediator, parts: { conditions, ...mediator.parts } });
  };
  return {
    home,
    announced,
    sent: () => sent,
    record: () => last.record(),
    async send(differing = {}, other = {}) {
      last = mediatorOf({ ...options, ...other });
      const response = await last.send({ role: 'deployer', path: '/api/variables/', body: { name: 'a', value: 1 }, ...differing });
      const body: unknown = JSON.parse(response.body.toString());
      return { ...(typeof body === 'object' ? body : {}), status: response.status };
    },
    approve: (id) => home.store.approvals.decide(String(id), { isApproved: true, decidedBy: 'alice@corp', reason: '' }),
    deny: (id) => home.store.approvals.decide(String(id), { isApproved: false, decidedBy: 'alice@corp', reason: 'no' }),
    close: () => home.close(),
  };
}
