import { describe, expect, it } from 'vitest';
import type { JsonValue } from '../../contract/json/tree.ts';
import { NOWHERE } from '../../contract/scope.ts';
import type { Lookup } from '../../prefect/client/lookup.ts';
import type { StoredRunToken } from '../../store/run-tokens.ts';
import type { StoredToken } from '../../store/tokens.ts';
import { explainAction } from './action.ts';
import { explainerParts, NOW_MS, principalParts, token } from './bench.fixture.ts';
import { findPrincipal } from './principal.ts';
import { remediesFor } from './remedies.ts';

const OWN = '0199c0de-0000-7000-8000-000000000001';
const CHILD = '0199c0de-0000-7000-8000-000000000002';
const OTHER = '0199c0de-0000-7000-8000-000000000003';
const RUN_TOKEN: StoredRunToken = {
  ...{ hash: 'h', id: 't', flowRunId: OWN, deploymentId: null, pool: 'etl', stateId: 's', worker: 'token:etl', binding: 'token etl', credentialId: 'etl' },
  ...{ identity: null, onBehalfOf: ['alice@local'], mintedMs: 0, liveMs: 1, endedMs: null, expiresMs: NOW_MS + 1 },
};
const WORKER = token('etl', { roles: ['worker', 'viewer'] });

async function find(more: Partial<StoredRunToken> = {}, tokens: readonly StoredToken[] = [WORKER], text = `run:${OWN}`) {
  const parts = principalParts(tokens);
  const store = { ...(await parts.store()), runTokens: { lastOf: async (id: string) => (id === OWN ? { ...RUN_TOKEN, ...more } : undefined) } };
  return findPrincipal(text, { ...parts, store: async () => store as never, mayPoll: (role) => role === 'worker' });
}

/** Prefect with three runs, of which the first has started the second. */
const lookup: Lookup = async (path): Promise<JsonValue | null> => {
  const labels = path.endsWith(CHILD) ? { 'lictor.principal': `run:${OWN}` } : {};
  return [OWN, CHILD, OTHER].some((id) => path === `/api/flow_runs/${id}`) ? { id: path.slice(-36), tags: [], parent_task_run_id: null, labels } : null;
};

describe('explain run:UUID', () => {
  it('is the run, with the scopes of its worker’s roles for runs, with any initiator', async () => {
    const { principal, refusedAs, notes } = await find();
    expect(principal).toMatchObject({ id: `run:${OWN}`, kind: 'run', grants: [{ role: 'run', scope: null }], onBehalfOf: ['alice@local'] });
    expect(refusedAs).toBeNull();
    expect(notes.join(' ')).toContain('token:etl in the pool etl, started by alice@local');
  });

  it('may change itself and what it has started, and nothing of another run', async () => {
    const run = await find();
    const answer = async (id: string) => (await explainAction(explainerParts(lookup), run, { action: 'flow_runs.set_state', resource: id })).reason;
    expect(await answer(OWN)).toBe('policy-permits');
    expect(await answer(CHILD)).toBe('policy-permits');
    expect(await answer(OTHER)).toBe('run-bound');
    expect((await explainAction(explainerParts(lookup), run, { action: 'deployments.delete', resource: OTHER })).reason).toBe('policy-default-deny');
  });

  it('has as a remedy the scope of its worker, a service token or a policy, and no role of a person', async () => {
    const remedies = async (worker: StoredToken, action: string, resource?: string, own?: Readonly<Record<string, string>>) => {
      const run = await find({}, [worker]);
      const parts = explainerParts(lookup, own);
      const explained = await explainAction(parts, run, { action, resource });
      return [explained.reason, ...(await remediesFor(parts, run, explained, false))];
    };
    const words = /^No flow run may do this, .*service token.*Role::"run"\.$/;
    expect(await remedies(WORKER, 'deployments.write')).toEqual(['policy-default-deny', expect.stringMatching(words)]);
    const own = { some: 'permit (principal in Role::"run", action == Action::"deployments.write", resource == Deployment::"d");' };
    expect((await remedies(WORKER, 'deployments.write', OTHER, own))[1]).toBe(
      `The policy some permits this to run:${OWN} only on other objects or under other conditions.`,
    );
    const elsewhere = { ...WORKER, scope: { ...NOWHERE, workPools: ['other'] } };
    const wider = /^The roles of token:etl do not cover this object: a wider scope/;
    expect(await remedies(elsewhere, 'flow_runs.set_state', OWN)).toEqual(['object-foreign', expect.stringMatching(wider)]);
  });

  it.each([
    ['its worker has not begun it', { liveMs: null }, [WORKER], 'run-token-not-live'],
    ['it has ended', { endedMs: NOW_MS - 1 }, [WORKER], 'run-token-ended'],
    ['it ended before the clock was put back', { endedMs: NOW_MS + 3_600_000 }, [WORKER], 'run-token-ended'],
    ['its worker’s token was revoked', {}, [{ ...WORKER, revokedMs: 5 }], 'run-token-orphaned'],
    ['its worker is gone', {}, [], 'run-token-orphaned'],
  ] as const)('is refused when %s', async (_when, more, tokens, reason) => expect((await find(more, tokens)).refusedAs).toBe(reason));

  it('says of a run that no worker was given what it could do, and that it has no token', async () => {
    const { principal, notes } = await find({}, [], `run:${OTHER}`);
    expect([principal.id, notes[0]]).toEqual([`run:${OTHER}`, expect.stringContaining('No token was made')]);
    await expect(find({}, [], 'run:able-kangaroo')).rejects.toThrow('Nobody is called');
  });
});
