import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collectActions } from '../../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../../prefect/catalog/catalogue.ts';
import { loadOwnPolicies } from './check.ts';
import { checkByThread } from './check-by-thread.ts';

const actions = collectActions(OPERATIONS);

describe('the check of own policies by a thread', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'lictor-policies-'));
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it.each([
    ['a sound set', '@id("a") @description("d") permit (principal, action == Action::"flows.read", resource);'],
    ['a broken set', '@id("a") permit (principal, action == Action::"flows.explode", resource);\npermit'],
    ['a set that can never match', '@id("never") forbid (principal, action == Action::"flows.read", resource is Variable);'],
  ])('says of %s what the check itself says', async (_what, text) => {
    writeFileSync(join(directory, 'a.cedar'), text);
    writeFileSync(join(directory, 'b.vectors.yaml'), 'vectors: []\n');
    expect(await checkByThread(actions, directory)).toEqual(loadOwnPolicies(actions, directory));
  });

  it('names a directory that is not there, and asks for none where none is configured', async () => {
    expect((await checkByThread(actions, join(directory, 'no'))).problems).toMatchObject([{ path: 'policies' }]);
    expect(await checkByThread(actions, null)).toMatchObject({ problems: [], policies: { texts: {} } });
  });

  it('rejects when the thread fails', async () => {
    writeFileSync(join(directory, 'a.cedar'), '@id("a") permit (principal, action, resource);');
    await expect(checkByThread(null as never, directory)).rejects.toThrow(TypeError);
  });
});
