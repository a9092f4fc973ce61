import { describe, expect, it } from 'vitest';
import { EDGE_SECRET } from '../../contract/names.ts';
import { createFromEdge } from './from-edge.ts';

const fromEdge = createFromEdge('the-secret');

describe('whether a request comes from the edge', () => {
  it('accepts the secret, and removes it from the headers', () => {
    const headers = { [EDGE_SECRET]: 'the-secret', 'x-other': 'stays' };
    expect(fromEdge({ headers })).toBe(true);
    expect(headers).toEqual({ 'x-other': 'stays' });
  });

  it.each([undefined, '', 'the-secre', 'the-secret ', 'the-secret, the-secret', 'The-Secret'])('refuses %j', (shown) => {
    const headers = shown === undefined ? {} : { [EDGE_SECRET]: shown };
    expect(fromEdge({ headers })).toBe(false);
    expect(headers).toEqual({});
  });
});
