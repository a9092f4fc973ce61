import { describe, expect, it } from 'vitest';
import { obstacleToApply, type Shown } from './shown.ts';

const MAY = { allowed: true, why: '' };
const MAY_NOT = { allowed: false, why: 'The role admin has it.' };
const READ_ONLY = { possible: false, detail: 'The directory is read-only.', hint: 'Use lictor policy apply.' };

function shown({ hasDraft = true, isChecking = false, apply = { possible: true } as object, problems = 0, patches = 1 }) {
  const report = { problems: Array.from({ length: problems }), patches: Array.from({ length: patches }) };
  return { draft: { draft: hasDraft ? {} : undefined, inForce: { apply } }, report, isChecking } as unknown as Omit<Shown, 'simulation'>;
}

describe('why a draft cannot be applied', () => {
  it.each([
    ['the right, before all', shown({ hasDraft: false, apply: READ_ONLY, problems: 1 }), MAY_NOT, 'The role admin has it.'],
    ['the gateway, before the text', shown({ hasDraft: false, apply: READ_ONLY, problems: 1 }), MAY, 'The directory is read-only. Use lictor policy apply.'],
    ['no draft', shown({ hasDraft: false }), MAY, 'Nothing is changed.'],
    ['a check that runs', shown({ isChecking: true, problems: 1 }), MAY, 'The gateway checks the text.'],
    ['problems', shown({ problems: 2 }), MAY, '2 problems are to be corrected first.'],
    ['the same text', shown({ patches: 0 }), MAY, 'The text is the same as the one in force.'],
    ['nothing', shown({}), MAY, undefined],
  ])('is one reason, the first that counts: %s', (_what, given, right, reason) => expect(obstacleToApply(given, right)).toBe(reason));
});
