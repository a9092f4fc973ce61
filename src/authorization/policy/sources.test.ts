import { describe, expect, it } from 'vitest';
import { loadBuiltInPolicies } from './policies.ts';
import { loadPolicySources, sourcesOf } from './sources.ts';

describe('the sources of policies', () => {
  it('names a file and a description for every built-in policy', () => {
    const sources = loadPolicySources();
    expect([...sources.keys()].sort()).toEqual(Object.keys(loadBuiltInPolicies()).sort());
    for (const [id, { file, description }] of sources) {
      expect(file, id).toMatch(/^src\/authorization\/policy\/roles\/\w+\.cedar$/);
      expect(description, id).not.toBe('');
    }
  });

  it('takes the comment directly above, and none where there is none', () => {
    const text = '// Far away.\n\n// Reads\n// all.\n@id("one")\npermit (principal, action, resource);\n\n@id("two")\nforbid (principal, action, resource);\n';
    expect(sourcesOf(text, 'a.cedar')).toEqual([
      ['one', { file: 'a.cedar', line: 5, description: 'Reads all.' }],
      ['two', { file: 'a.cedar', line: 8, description: '' }],
    ]);
  });
});
