import { describe, expect, it } from 'vitest';
import { bothChanged, filesOf, freeName, listFiles, nameProblem, onto, parseDraft, renderDraft, withFile, withId } from './draft.ts';

const BASE = { 'a.cedar': 'a', 'b.cedar': 'b' };
const NONE = { base: 3, changes: {} };

describe('a draft', () => {
  it('has the whole set with its changes, and is none again after a change back', () => {
    const draft = withFile(withFile(withFile(NONE, BASE, { name: 'a.cedar', text: 'A' }), BASE, { name: 'b.cedar', text: null }), BASE, {
      name: 'c.cedar',
      text: '',
    });
    expect(filesOf(BASE, draft)).toEqual({ 'a.cedar': 'A', 'c.cedar': '' });
    expect(listFiles(BASE, draft)).toEqual([
      { name: 'a.cedar', state: 'changed' },
      { name: 'b.cedar', state: 'removed' },
      { name: 'c.cedar', state: 'added' },
    ]);
    expect(parseDraft(renderDraft(draft))).toEqual(draft);
    const back = withFile(withFile(withFile(draft, BASE, { name: 'a.cedar', text: 'a' }), BASE, { name: 'b.cedar', text: 'b' }), BASE, {
      name: 'c.cedar',
      text: null,
    });
    expect([back, renderDraft(back)]).toEqual([NONE, '']);
  });

  it('is none where the stored text is another one', () => {
    for (const text of ['', '{', 'null', '[]', '{"base":"3","changes":{"a.cedar":"x"}}', '{"base":3,"changes":null}', '{"base":3,"changes":{"a.cedar":1}}'])
      expect(parseDraft(text)).toBeUndefined();
  });

  it('of the second of two editors keeps its text, and takes what the first has changed elsewhere', () => {
    const draft = { base: 3, changes: { 'a.cedar': 'mine', 'c.cedar': 'both the same' } };
    const next = { revision: 5, files: { 'a.cedar': 'theirs', 'b.cedar': 'theirs too', 'c.cedar': 'both the same' } };
    const moved = onto(draft, next);
    expect(moved).toEqual({ base: 5, changes: { 'a.cedar': 'mine' } });
    expect(filesOf(next.files, moved)).toEqual({ 'a.cedar': 'mine', 'b.cedar': 'theirs too', 'c.cedar': 'both the same' });
    expect(bothChanged(draft, BASE, next.files)).toEqual(['a.cedar']);
  });

  it('has a free name for a pasted policy, and an id if the text has none', () => {
    expect([freeName(BASE), freeName({ 'policy.cedar': '', 'policy-2.cedar': '' })]).toEqual(['policy.cedar', 'policy-3.cedar']);
    expect(withId('permit (principal, action, resource);', 'policy-2.cedar')).toBe('@id("policy-2")\npermit (principal, action, resource);');
    expect(withId('@id("own") permit (principal, action, resource);', 'policy.cedar')).toMatch(/^@id\("own"\)/);
  });

  it('has names that the gateway reads', () => {
    expect([nameProblem('new.cedar', BASE), nameProblem('a.vectors.yaml', BASE)]).toEqual([undefined, undefined]);
    for (const name of ['', 'a', 'a.yaml', '../x.cedar', '.x.cedar', 'a b.cedar', 'a.cedar']) expect(nameProblem(name, BASE)).toEqual(expect.any(String));
  });
});
