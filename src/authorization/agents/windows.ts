// Takes from the budgets of a window, and remembers for a second which are used up: a runaway agent costs no write of the store then.
import type { Clock, SteadyClock } from '../../contract/clock.ts';
import { type AgentUses, type NewUse, USE_WINDOWS_MS, type UseKind } from '../../store/agent-uses.ts';
import type { Refusal } from '../mediate/handler.ts';
import { overBudget } from './over-budget.ts';

export interface WindowParts {
  readonly uses: Pick<AgentUses, 'take' | 'add' | 'giveBack'>;
  readonly clock: Clock;
  readonly steady: SteadyClock;
}

export interface Windows {
  /** Takes all or nothing. */
  take(uses: readonly NewUse[]): Promise<{ readonly ok: true; readonly atMs: number } | { readonly ok: false; readonly refusal: Refusal }>;
  /** The refusal of one of them that is known to be used up, without a wait. */
  remembered(uses: readonly NewUse[]): Refusal | undefined;
  giveBack(use: Omit<NewUse, 'most'>, atMs: number): Promise<void>;
  add(use: Omit<NewUse, 'most'>): void;
}

/** Others share the store, and may give back. */
const REMEMBERED_MS = 1_000;

interface Over {
  readonly most: number;
  readonly freesMs: number;
  readonly untilSteadyMs: number;
}

export function createWindows({ uses, clock, steady }: WindowParts): Windows {
  const used = new Map<string, Over>();
  const refusalOf = ({ agent, kind, amount, most }: NewUse, freesMs: number): Refusal =>
    overBudget({ agent, budget: kind, most: most ?? 0, asked: amount, waitMs: Math.min(freesMs - clock(), USE_WINDOWS_MS[kind]) });
  const remembered: Windows['remembered'] = (wanted) => {
    for (const use of wanted) {
      const over = used.get(keyOf(use));
      if (over !== undefined && over.most === use.most && steady() < over.untilSteadyMs) return refusalOf(use, over.freesMs);
    }
    return undefined;
  };
  return {
    remembered,
    async take(wanted) {
      const known = remembered(wanted);
      if (known !== undefined) return { ok: false, refusal: known };
      const taken = await uses.take(wanted);
      if (taken.ok) return taken;
      const { over, freesMs } = taken;
      // Many at once may not fit where one does.
      const isEmpty = over.amount <= 1 && over.most !== null;
      if (isEmpty) used.set(keyOf(over), { most: over.most, freesMs, untilSteadyMs: steady() + Math.min(REMEMBERED_MS, freesMs - clock()) });
      return { ok: false, refusal: refusalOf(over, freesMs) };
    },
    giveBack(use, atMs) {
      used.delete(keyOf(use));
      return uses.giveBack(use, atMs);
    },
    add: (use) => uses.add(use),
  };
}

function keyOf({ agent, kind }: { readonly agent: string; readonly kind: UseKind }): string {
  return `${kind} ${agent}`;
}
