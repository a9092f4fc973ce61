import { policyToJson } from '@cedar-policy/cedar-wasm/nodejs';
import { describe, expect, it } from 'vitest';
import { createTrees } from './trees.ts';

describe('the trees of policies', () => {
  it('are parsed once each, those that cannot be parsed too', () => {
    const parsed: string[] = [];
    const toTree = createTrees((text) => {
      parsed.push(text);
      return policyToJson(text);
    });
    const texts = ['permit (principal, action, resource);', 'forbid (principal, action, resource);', 'no policy'];
    const types = [...texts, ...texts].map((text) => toTree(text).type);
    expect([parsed, types]).toEqual([texts, ['success', 'success', 'failure', 'success', 'success', 'failure']]);
  });
});
