import { describe, expect, it } from 'vitest';
import { fail, ok } from './finding.ts';
import { inOrder, runChecks } from './run-checks.ts';

describe('running checks', () => {
  it('gives every finding its group and check, of one verdict or several', async () => {
    const found = await runChecks([
      { group: 'public-url', name: 'health', run: () => ok('fine') },
      { group: 'machine', name: 'disk', run: async () => [ok('a'), fail('b', 'mend b')] },
      { group: 'edge', name: 'nothing', run: () => [] },
    ]);
    expect(found).toEqual([
      { group: 'public-url', check: 'health', status: 'ok', message: 'fine', remedy: null },
      { group: 'machine', check: 'disk', status: 'ok', message: 'a', remedy: null },
      { group: 'machine', check: 'disk', status: 'fail', message: 'b', remedy: 'mend b' },
    ]);
    expect(inOrder(found).map(({ message }) => message)).toEqual(['a', 'b', 'fine']);
  });

  it('makes a finding of a check that throws, and of one that hangs', async () => {
    const found = await runChecks(
      [
        {
          group: 'edge',
          name: 'broken',
          run: () => {
            throw new Error('no such file');
          },
        },
        { group: 'edge', name: 'hanging', run: () => new Promise(() => undefined) },
        { group: 'edge', name: 'fine', run: () => ok('fine') },
      ],
      20,
    );
    expect(found.map(({ status }) => status)).toEqual(['fail', 'fail', 'ok']);
    expect(found[0]?.message).toBe('edge broken could not be checked: no such file');
    expect(found[1]?.message).toBe('edge hanging got no answer within 0.02 s');
  });
});
