// What requests must meet beside the policies, and what answers to agents must not have: opened for one configuration.
import { createAgentBook } from '../authorization/agents/agent-book.ts';
import { createCallBudgets } from '../authorization/agents/call-budgets.ts';
import { createParameterRules } from '../authorization/agents/parameter-rules.ts';
import { createRedaction } from '../authorization/agents/redaction.ts';
import { createRunBudgets } from '../authorization/agents/run-budgets.ts';
import { createAgentTaint, createLoginTaint } from '../authorization/agents/taint.ts';
import { createWindows } from '../authorization/agents/windows.ts';
import { createAnnouncer } from '../authorization/approvals/announce.ts';
import { announcedByRule, createApprovalConditions, rulesFor } from '../authorization/approvals/condition.ts';
import { createHold } from '../authorization/approvals/hold.ts';
import { createNameOf } from '../authorization/approvals/resource-name.ts';
import { assertRules } from '../authorization/approvals/rule-problems.ts';
import { createConditions, type PermittedRequest } from '../authorization/mediate/conditions.ts';
import type { Config } from '../config/config.ts';
import { openRedactor, type Redactor } from '../contract/untrusted/redact.ts';
import { knownSecrets } from '../edge/mcp/known-secrets.ts';
import type { Lookup } from '../prefect/client/lookup.ts';
import type { openObjects } from '../prefect/client/open-objects.ts';
import type { ProcessServices } from './process-services.ts';

/** Loaded with the first answer to an agent. */
export function redactorOf({ redactions }: ProcessServices, config: Config): () => Promise<Redactor> {
  let opening: Promise<Redactor> | undefined;
  const onRedacted = (count: number): void => {
    redactions.total += count;
  };
  return () => {
    opening ??= openRedactor({ known: knownSecrets(config), onRedacted });
    return opening;
  };
}

interface ConditionParts {
  readonly redactor: () => Promise<Redactor>;
  readonly entities: ReturnType<typeof openObjects>['entities'];
  readonly lookup: Lookup;
  readonly opened: AsyncDisposableStack;
  readonly revision: number;
}

/** What requests must meet beside the policies, in the order of the checks. An approval is used up by passing, so approvals are last. */
export function openConditions(
  { store, clock, steady, log }: ProcessServices,
  config: Config,
  { entities, lookup, redactor, opened, revision }: ConditionParts,
) {
  assertRules(config.approvals);
  const book = createAgentBook(config.agents);
  const windows = createWindows({ uses: store.agentUses, clock, steady });
  const { announce, close } = createAnnouncer({
    ...{ rules: config.approvals, publicUrl: config.publicUrl, clock },
    onError: (error, id) => log.warn({ err: error, approval_id: id }, 'a request that waits for an approval was not announced'),
  });
  opened.defer(close);
  const hold = createHold({ approvals: store.approvals, config, clock, revision, nameOf: createNameOf(entities.now), announce, redactor });
  const isHeld = (request: PermittedRequest) => rulesFor(config.approvals, request).length > 0;
  const taint = { book, taints: store.taints, hold: announcedByRule(config.approvals, hold), isHeld };
  const callBudgets = createCallBudgets({ book, windows });
  const conditions = createConditions([
    callBudgets,
    createParameterRules({ book, agents: config.agents, entities: entities.now }),
    createRunBudgets({ book, windows, runs: store.agentRuns, lookup, clock, steady }),
    createRedaction({ book, redactor }),
    createAgentTaint(taint),
    createLoginTaint(taint),
    ...createApprovalConditions(config.approvals, hold),
  ]);
  return { conditions, chargeCall: callBudgets.charge };
}
