// Conditions are checked in order, and what one has reserved is given back when a later one refuses.
import { expect, it } from 'vitest';
import type { Principal } from '../../contract/principal.ts';
import { type Condition, createConditions, type PermittedRequest, type RequestOutcome } from './conditions.ts';

const principal: Principal = { id: 'agent:a', kind: 'agent', idp: null, roles: [], grants: [], groups: [], attributes: {}, onBehalfOf: [] };
// Conditions read nothing else of the request.
const request = { authorization: { ok: true, principal } } as unknown as PermittedRequest;

function reserving(settled: RequestOutcome[], record = {}): Condition {
  return { concerns: () => true, check: async () => ({ ok: true, record, settle: async (outcome) => void settled.push(outcome) }) };
}

const refusing: Condition = { concerns: () => true, check: async () => ({ ok: false, refusal: { code: 'policy-forbids' } }) };

it('passes with the records of all, and settles each with the outcome', async () => {
  const settled: RequestOutcome[] = [];
  const verdict = await createConditions([reserving(settled), reserving(settled, { approval_id: 'b' })]).check(request);
  expect(verdict).toMatchObject({ ok: true, record: { approval_id: 'b' } });
  if (verdict.ok) await verdict.settle?.({ kind: 'unknown', bytes: 3 });
  expect(settled).toEqual([
    { kind: 'unknown', bytes: 3 },
    { kind: 'unknown', bytes: 3 },
  ]);
});

it('gives back what was reserved when a later condition refuses or fails', async () => {
  const settled: RequestOutcome[] = [];
  expect(await createConditions([reserving(settled), refusing, reserving(settled)]).check(request)).toMatchObject({ ok: false });
  expect(settled).toEqual([{ kind: 'not-sent', bytes: 0 }]);
  const failing: Condition = { concerns: () => true, check: () => Promise.reject(new Error('no store')) };
  await expect(createConditions([reserving(settled), failing]).check(request)).rejects.toThrow('no store');
  expect(settled).toHaveLength(2);
});

it('leaves out conditions that do not concern the principal', async () => {
  const conditions = createConditions([{ ...refusing, concerns: ({ kind }) => kind === 'user' }]);
  expect(conditions.concerns(principal)).toBe(false);
  expect(await conditions.check(request)).toMatchObject({ ok: true });
});
