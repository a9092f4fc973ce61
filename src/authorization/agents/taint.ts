// An agent that has read text of others may be steered by it: for a time, what it writes needs an approval, or is refused.
import type { ApprovalRule } from '../../config/config.ts';
import { agentId, type Principal } from '../../contract/principal.ts';
import { actionWords } from '../../prefect/catalog/action-words.ts';
import type { Taints } from '../../store/taints.ts';
import type { Condition, PermittedRequest, Verdict } from '../mediate/conditions.ts';
import type { AgentBook } from './agent-book.ts';
import { showsText } from './shows-text.ts';

export interface TaintParts {
  readonly book: Pick<AgentBook, 'of'>;
  readonly taints: Taints;
  /** Holds a request until the sponsor, or the person that a client acts for, has approved it. */
  readonly hold: (request: PermittedRequest, rule: Pick<ApprovalRule, 'name' | 'actions' | 'approvers' | 'expiresMs'>) => Promise<Verdict>;
  /** True: a rule of `approvals` holds the request. Its approval counts here too. */
  readonly isHeld: (request: PermittedRequest) => boolean;
}

/** Agents, on every path: what they read decides what they may write. */
export function createAgentTaint(parts: TaintParts): Condition {
  return {
    concerns: (principal) => readersOf(parts.book, principal).length > 0,
    check: (request) => judge(parts, request, readersOf(parts.book, request.authorization.principal)),
  };
}

function readersOf(book: TaintParts['book'], principal: Principal): readonly Reader[] {
  // What a run reads, the code of its flow reads: the agent that started it does not.
  if (principal.kind === 'run') return [];
  return book.of(principal).flatMap(({ name, taint }) => (taint === 'allow' ? [] : [{ id: agentId(name), taint }]));
}

/** Clients that act for a person over MCP. The person approves. */
export function createLoginTaint(parts: TaintParts): Condition {
  return {
    concerns: ({ kind }) => kind === 'user',
    reads: () => false,
    async check(request) {
      if (request.call.inputs.audience !== 'mcp') return { ok: true };
      return await judge(parts, request, [{ id: request.authorization.credential.id, taint: 'approve' }]);
    },
  };
}

/** Who reads, as the store names it. */
interface Reader {
  readonly id: string;
  readonly taint: 'approve' | 'deny';
}

/** A request that writes and reads is judged before it taints. */
async function judge(parts: TaintParts, request: PermittedRequest, readers: readonly Reader[]): Promise<Verdict> {
  const verdict = request.call.operation.writes ? await judgeWrite(parts, request, readers) : PASSES;
  if (!verdict.ok) return verdict;
  return {
    ...verdict,
    async bodyFor({ status, body }) {
      const isRead = status < 300 && !isEmpty(body) && showsText(request.call.operation, status);
      for (const { id } of isRead ? readers : []) await parts.taints.mark(id);
      return { body };
    },
  };
}

const PASSES: Verdict = { ok: true };

async function judgeWrite(parts: TaintParts, request: PermittedRequest, readers: readonly Reader[]): Promise<Verdict> {
  const untils = await Promise.all(readers.map(async (reader) => ({ ...reader, untilMs: await parts.taints.until(reader.id) })));
  const tainted = untils.flatMap(({ untilMs, ...reader }) => (untilMs === null ? [] : [{ ...reader, untilMs }]));
  if (tainted.length === 0) return PASSES;
  const denying = tainted.filter(({ taint }) => taint === 'deny');
  if (denying.length > 0) return refused(request, Math.max(...denying.map(({ untilMs }) => untilMs)));
  if (parts.isHeld(request)) return PASSES;
  const actions = request.authorization.decisions.map(({ action }) => action);
  return await parts.hold(request, { name: 'taint', actions, approvers: 'sponsor', expiresMs: EXPIRES_MS });
}

const EXPIRES_MS = 15 * 60_000;

function refused({ call, authorization }: PermittedRequest, untilMs: number): Verdict {
  const { action } = call.operation;
  const until = new Date(untilMs).toISOString();
  const detail = `${authorization.principal.id} has read text that others wrote. It may not ${actionWords(action)} (${action}) until ${until}.`;
  return { ok: false, refusal: { code: 'taint-denied', detail } };
}

/** An empty list, or nothing at all. */
function isEmpty(body: Buffer): boolean {
  return body.length <= EMPTY_MOST && ['', '[]', '{}', 'null'].includes(body.toString().trim());
}

const EMPTY_MOST = 16;
