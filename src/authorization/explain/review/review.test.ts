// The thread: it answers with the store's principals, asks the gateway about objects, and ends when it takes too long.
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parseStrict } from '../../../contract/json/strict-json.ts';
import { NOWHERE } from '../../../contract/scope.ts';
import { openTestStore, type TestStore } from '../../../identity/authn/store.fixture.ts';
import { UpstreamError } from '../../../prefect/client/upstream-error.ts';
import { type AccessReview, createAccessReview } from './review.ts';

const RUN = '0199c0de-0000-7000-8000-000000000001';
let test: TestStore;
let review: AccessReview;

function open(more: { readonly atMostMs?: number; readonly lookup?: Parameters<typeof createAccessReview>[0]['lookup'] } = {}) {
  const config = {
    publicUrl: { origin: 'https://prefect.example.com', hostname: 'prefect.example.com', port: 443, secure: true, basePath: '' },
    ...{ services: [], forwardProxy: null, identityProviders: [], roles: [], agents: [], approvals: [] },
  };
  const data = {
    config,
    own: { texts: {}, sources: new Map() },
    revision: 7,
    storeAt: join(test.directory, 'lictor.db'),
    ledgerFile: join(test.directory, 'ledger.db'),
  };
  review = createAccessReview({ data, lookup: async () => null, ...more });
}

beforeEach(async () => {
  test = await openTestStore();
  await test.token({ name: 'team', roles: ['operator'], scope: { ...NOWHERE, tags: ['team-a'] } });
});
afterEach(async () => {
  await review.close();
  await test.close();
});

it('asks the gateway about an object, and says when Prefect does not answer', async () => {
  let isThere = true;
  open({
    async lookup(path) {
      if (!isThere) throw new UpstreamError('upstream-unavailable', { forwarded: false });
      return path === `/api/flow_runs/${RUN}` ? { id: RUN, tags: ['team-a'] } : null;
    },
  });
  const question = { action: 'flow_runs.cancel', resource: RUN, limit: 10 };
  expect((await review.ask('whoCan', question, 'alice')).lines).toMatchObject([{ principal: 'token:team', allowed: true, scope: 'tags=team-a' }]);
  isThere = false;
  expect((await review.ask('whoCan', question, 'alice')).lines).toMatchObject([{ principal: 'token:team', allowed: false, reason: 'upstream-unavailable' }]);
  await expect(review.ask('whoCan', { action: 'no.such', limit: 1 }, 'alice')).rejects.toMatchObject({ code: 'usage' });
});

it('explains with an object as Prefect writes it: 0.0 is a number with its text, which a thread cannot get as it is', async () => {
  const run = parseStrict(Buffer.from(`{"id":"${RUN}","tags":["team-a"],"total_run_time":0.0,"estimated_run_time":12345678901234567890}`));
  if (!run.ok) throw new Error('not readable');
  open({ lookup: async (path) => (path === `/api/flow_runs/${RUN}` ? run.tree : null) });
  const asked = { who: { name: 'token:team' }, action: 'flow_runs.cancel', about: {}, resource: RUN };
  expect((await review.ask('explain', asked, 'alice')).explanation).toMatchObject({ decision: 'allow' });
});

it('ends a question that takes too long', async () => {
  open({ atMostMs: 1 });
  await expect(review.ask('matrix', { rows: 'roles', about: {}, limit: 1 }, 'alice')).rejects.toMatchObject({ code: 'review-too-long' });
});

it('refuses more questions than may wait', async () => {
  open();
  const asked = Array.from({ length: 10 }, () => review.ask('matrix', { rows: 'roles', about: {}, limit: 1 }, 'alice'));
  const [last] = (await Promise.allSettled(asked)).slice(-1);
  expect(last).toMatchObject({ status: 'rejected', reason: { code: 'review-busy' } });
});
