import { expect, it } from 'vitest';
import { statePaths } from '../config/state-dir.ts';
import { storeProblems } from './store-problems.ts';

const away = { storeAt: { url: 'postgres://lictor@127.0.0.1:1/lictor', passwordFile: null }, storeListen: null };

it('a store that does not answer is a problem, which says that no key was compared', async () => {
  const [problem, ...others] = await storeProblems(away, statePaths('/state', '/run/none'));
  expect(problem).toMatchObject({ path: 'store', message: expect.stringContaining('does not answer') });
  expect(problem?.remedy).toContain('did not compare /state/keys/seal.key');
  expect(others).toEqual([]);
});

it('without a state directory of a node, it says nothing about a key; a file of SQLite is no problem', async () => {
  const [problem] = await storeProblems(away);
  expect(problem?.remedy).not.toContain('compare');
  expect(await storeProblems({ storeAt: '/state/lictor.db', storeListen: null }, statePaths('/state', '/run/none'))).toEqual([]);
});
