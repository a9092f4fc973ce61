import { CompletionContext } from '@codemirror/autocomplete';
import { EditorState } from '@codemirror/state';
import { describe, expect, it } from 'vitest';
import { completionSource, openName } from './completion.ts';

describe('a name to complete', () => {
  it.each([
    ['permit (principal == Principal::"al', { kind: 'Principal', typed: 'al' }],
    ['action in [Action::"flows.read", Action::"', { kind: 'Action', typed: '' }],
    ['principal in Role::"op', { kind: 'Role', typed: 'op' }],
    ['principal in Role::"operator"', undefined],
    ['resource == WorkPool::"pool', undefined],
    ['permit (prin', undefined],
  ])('%s', (before, open) => expect(openName(before)).toEqual(open));

  it('is replaced from its first letter, and a gateway that does not answer gives none', async () => {
    const doc = '// a\npermit (principal in Role::"op';
    const context = new CompletionContext(EditorState.create({ doc }), doc.length, false);
    const roles = completionSource(async () => [{ label: 'operator' }]);
    expect(await roles(context)).toEqual({ from: doc.length - 2, options: [{ label: 'operator' }] });
    expect(await completionSource(() => Promise.reject(new Error('away')))(context)).toMatchObject({ options: [] });
  });
});
