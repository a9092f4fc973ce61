// When a provider is asked whether a session goes on, where the wall clock is put meanwhile.
import { beforeEach, describe, expect, it } from 'vitest';
import { CONFIRM_LIMITS, type ConfirmParts, createConfirm, createConfirmMemory } from './confirm.ts';

const HOUR_MS = 3_600_000;
const NOW_MS = 1_700_000_000_000;

let nowMs: number;
let steadyMs: number;
let asked: number;
let isAway: boolean;
let asksWithinMs: number | null;
let refreshAfterMs: number | null;
let memory: ConfirmParts['memory'];
let endedAs: { readonly isRefused: boolean } | undefined;
let refused: readonly string[];

beforeEach(() => {
  [nowMs, steadyMs, asked, isAway] = [NOW_MS, 1, 0, false];
  [asksWithinMs, refreshAfterMs] = [HOUR_MS, NOW_MS + 300_000];
  memory = createConfirmMemory();
  [endedAs, refused] = [undefined, []];
});

/** By what the store holds, as after a restart, but for what memory keeps. */
async function ask() {
  const identity = { idp: 'corp', subject: 's', name: 'alice', kind: 'user', groups: [], claims: {} };
  const session = () => ({ id: 's1', owner: { kind: 'identity', identityId: 'i1', identity }, refreshAfterMs });
  const confirm = async () => {
    asked += 1;
    if (endedAs !== undefined) return { state: 'ended', reason: 'session-expired', detail: 'over', ...endedAs };
    if (isAway) return { state: 'no-answer', detail: 'away' };
    return { state: 'live', proof: { identity, stored: null, refreshAfterMs: nowMs + 300_000 } };
  };
  const setRefreshAfter = async (_id: string, ms: number) => {
    refreshAfterMs = ms;
  };
  const setRefused = async (id: string) => {
    refused = [...refused, id];
  };
  const parts = {
    providers: [{ idp: 'corp', word: 'w', confirm, asksWithinMs }],
    sessions: { byId: async () => session(), setRefreshAfter, end: async () => true },
    store: {
      identities: { put: async () => 'i1', setRefused, provisioned: async () => undefined },
      idpTokens: { read: async () => 'sealed', put: async () => undefined, remove: async () => undefined },
    },
    sealer: { open: () => 'opened', seal: () => 'sealed' },
    config: { roles: [{ role: 'viewer', scope: null, members: ['*@corp'] }] },
    ...{ clock: () => nowMs, steady: () => steadyMs, memory, onEnded: async () => undefined, onNoAnswer: () => undefined },
  };
  const answer = await createConfirm(parts as unknown as ConfirmParts)(session() as never);
  return 'refuse' in answer ? answer.refuse : { inMs: answer.askAgainMs === null ? null : answer.askAgainMs - nowMs };
}

function pass(ms: number, putMs = 0): void {
  nowMs += ms + putMs;
  steadyMs += ms;
}

describe('a session with a later next question', () => {
  it('is asked about at once if that is later than its provider ever sets: the clock was put back', async () => {
    pass(0, -24 * HOUR_MS);
    expect([await ask(), asked]).toEqual([{ inMs: 300_000 }, 1]);
    expect([await ask(), asked]).toEqual([{ inMs: 300_000 }, 1]);
  });

  it('is not asked about before its time, however late the provider sets it', async () => {
    refreshAfterMs = NOW_MS + HOUR_MS;
    expect([await ask(), asked]).toEqual([{ inMs: HOUR_MS }, 0]);
    pass(HOUR_MS);
    expect([await ask(), asked]).toEqual([{ inMs: 300_000 }, 1]);
  });

  it('continues to its end if the provider is never asked: a SAML session of an older release', async () => {
    [asksWithinMs, refreshAfterMs] = [null, NOW_MS + 8 * HOUR_MS];
    expect([await ask(), asked]).toEqual([{ inMs: 8 * HOUR_MS }, 0]);
  });
});

describe('a session that the provider ends', () => {
  it('ends the standing of the person too if the provider was asked and refuses', async () => {
    endedAs = { isRefused: true };
    pass(300_000);
    expect([await ask(), refused]).toEqual(['session-expired', ['i1']]);
  });

  it('leaves the standing of the person alone if only its time is over', async () => {
    endedAs = { isRefused: false };
    pass(300_000);
    expect([await ask(), refused]).toEqual(['session-expired', []]);
  });
});

describe('while the provider does not answer', () => {
  beforeEach(() => {
    isAway = true;
  });

  it('it continues for the grace from the first question on, and no longer, also if the clock was put back', async () => {
    pass(0, -24 * HOUR_MS);
    expect([await ask(), asked]).toEqual([{ inMs: CONFIRM_LIMITS.retryMs }, 1]);
    pass(CONFIRM_LIMITS.graceMs - 1);
    expect(await ask()).toEqual({ inMs: 1 });
    pass(1);
    memory = createConfirmMemory();
    expect(await ask()).toBe('session-unconfirmed');
  });

  it.each([-60_000, 60_000])('it is asked again ten seconds later, and not before, if the clock steps by %i ms', async (putMs) => {
    pass(300_000);
    await ask();
    pass(CONFIRM_LIMITS.retryMs - 1, putMs);
    // Put back it is not due at all: a minute more.
    const before = putMs < 0 ? 60_000 - CONFIRM_LIMITS.retryMs + 1 : 1;
    expect([await ask(), asked]).toEqual([{ inMs: before }, 1]);
    pass(before);
    await ask();
    expect(asked).toBe(2);
  });
});
