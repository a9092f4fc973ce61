// The budgets of an agent for its calls in a minute, and for the bytes of the answers in an hour.
import type { Principal } from '../../contract/principal.ts';
import type { NewUse } from '../../store/agent-uses.ts';
import type { Condition, Verdict } from '../mediate/conditions.ts';
import type { AgentBook } from './agent-book.ts';
import type { Windows } from './windows.ts';

export interface CallBudgets extends Condition {
  /** Counts one call that does not pass the mediator: of an MCP tool, a socket, a service. `settle` counts the bytes of its answer. */
  charge(principal: Principal): Promise<Verdict>;
}

export interface CallBudgetParts {
  readonly book: AgentBook;
  readonly windows: Windows;
}

/** A call counts as soon as the policies permit it, also if another condition then refuses it: over MCP, HTTP and the CLI alike. */
export function createCallBudgets({ book, windows }: CallBudgetParts): CallBudgets {
  const usesOf = (principal: Principal, calls: 0 | 1): readonly NewUse[] =>
    book
      .of(principal)
      .flatMap(({ name: agent, budgets: { bytesPerHour, callsPerMinute } }) => [
        ...(bytesPerHour === null ? [] : [{ agent, kind: 'bytes', amount: 0, most: bytesPerHour } as const]),
        ...(calls === 0 ? [] : [{ agent, kind: 'calls', amount: calls, most: callsPerMinute } as const]),
      ]);
  const take = async (principal: Principal, calls: 0 | 1): Promise<Verdict> => {
    const taken = await windows.take(usesOf(principal, calls));
    if (!taken.ok) return taken;
    const counted = book.of(principal).filter(({ budgets }) => budgets.bytesPerHour !== null);
    return {
      ok: true,
      async settle({ bytes: amount }) {
        for (const { name: agent } of counted) windows.add({ agent, kind: 'bytes', amount });
      },
    };
  };
  return {
    concerns: (principal) => book.of(principal).length > 0,
    refusesAtOnce: (principal, tool) => windows.remembered(usesOf(principal, callsOf(tool))),
    check: ({ authorization, tool }) => take(authorization.principal, callsOf(tool)),
    charge: (principal) => take(principal, 1),
  };
}

/** The MCP endpoint counts the call of a tool, which may send several requests. */
function callsOf(tool: string | null): 0 | 1 {
  return tool === null ? 1 : 0;
}
