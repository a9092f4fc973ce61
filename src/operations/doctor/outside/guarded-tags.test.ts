import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeMemoryDir } from '../../../config/memory-dir.fixture.ts';
import { NOWHERE } from '../../../contract/scope.ts';
import { openStore } from '../../../store/store.ts';
import { withTagHolders } from '../inside/tag-holders.ts';
import { answer, answering, REFUSED } from './answers.fixture.ts';
import { checkGuardedTags } from './guarded-tags.ts';

const [FIRST, SECOND] = ['0199c0de-0000-7000-8000-000000000001', '0199c0de-0000-7000-8000-000000000002'];
let root = '';
let storeAt = '';
beforeEach(async () => {
  root = makeMemoryDir('lictor-tags-');
  storeAt = join(root, 'lictor.db');
  const store = await openStore({ at: storeAt, clock: () => 1 });
  const token = { cidrs: [], lifetimeMs: null };
  await store.tokens.create({ ...token, id: '1', name: 'ci-a', roles: ['deployer'], scope: { ...NOWHERE, tags: ['team-a'] }, hash: '1' });
  await store.tokens.create({ ...token, id: '2', name: 'ci-z', roles: ['deployer'], scope: { ...NOWHERE, tags: ['team-z'] }, hash: '2' });
  await store.tokens.create({ ...token, id: '3', name: 'all', roles: ['deployer'], hash: '3' });
  await store.accounts.create({ id: '1', name: 'bob', roles: ['operator'], scope: { ...NOWHERE, tags: ['team-b'] }, password: 'phc' });
  await store.makers.put('Deployment', FIRST, 'token:ci-a');
  await store.makers.put('Deployment', SECOND, 'token:all');
  await store.close();
});
afterEach(() => rmSync(root, { recursive: true }));

const roles = [{ role: 'viewer', members: ['token:ci-a'], scope: { ...NOWHERE, tags: ['team-v'] } }];
const identityProviders = [{ id: 'local', type: 'accounts' as const }];

async function found({ deployments = [], runs = [], file = storeAt }: { deployments?: unknown; runs?: unknown; file?: string }) {
  const probe = answering(({ url, body }) => {
    if (url.startsWith('http://away:4200/')) return REFUSED;
    expect(body).toContain('"team-z"');
    return answer(200, url.endsWith('/deployments/filter') ? deployments : runs);
  });
  const tls = { ca: [], allowPartialTrustChain: false, checkServerIdentity: () => undefined };
  const servers = ['http://away:4200', 'http://prefect:4200'].map((url) => ({ url, authorization: null, tls, probe }));
  return withTagHolders({ storeAt: file, roles, agents: [], identityProviders }, (holders) => checkGuardedTags(servers, holders));
}

const deployment = (id: string, ...tags: readonly string[]) => ({ id, name: 'nightly', tags });
const run = (maker: string | null, ...tags: readonly string[]) => ({
  ...{ id: SECOND, name: 'one', tags },
  labels: maker === null ? { n: 1 } : { 'lictor.principal': maker },
});

describe('guarded tags on existing objects', () => {
  it("are listed where the maker's scope does not name them", async () => {
    const [verdict] = (await found({ deployments: [deployment(FIRST, 'team-a', 'team-z', 'free')], runs: [run('bob@local', 'team-a')] })) ?? [];
    expect(verdict).toMatchObject({
      status: 'warn',
      message: `2 objects have guarded tags that their creators may not set: team-z on deployment "nightly" (${FIRST}) of token:ci-a; team-a on flow run "one" (${SECOND}) of bob@local`,
    });
  });

  it.each([
    ['of a maker whose scope names them, here or in lictor.yaml', { deployments: [deployment(FIRST, 'team-a', 'team-v')], runs: [run('bob@local', 'team-b')] }],
    ['of a maker with a role on everything', { deployments: [deployment(SECOND, 'team-z')] }],
    ['of a maker who is not known', { deployments: [deployment('x', 'team-z')], runs: [run(null, 'team-z'), run('token:gone', 'team-z')] }],
    [
      'that a run has from its deployment, no matter who started it',
      { deployments: [deployment(SECOND, 'team-z')], runs: [{ ...run('bob@local', 'team-z'), deployment_id: SECOND }] },
    ],
  ])('are in order %s', async (_what, objects) => {
    expect(await found(objects)).toMatchObject([{ status: 'ok', message: expect.stringContaining('team-a, team-b, team-v, team-z') }]);
  });

  it('are not judged where Prefect gives no list, which is said, and where the store cannot be read', async () => {
    expect(await found({ deployments: { detail: 'no' } })).toMatchObject([{ status: 'warn', message: expect.stringContaining('guarded tags') }]);
    writeFileSync(join(root, 'x.db'), 'no database');
    expect(await found({ file: join(root, 'x.db') })).toBeUndefined();
    expect(await checkGuardedTags([], { guarded: new Set(), holds: () => false, makerOf: async () => undefined })).toEqual([]);
  });
});
