import { describe, expect, it } from 'vitest';
import { buildHint } from './apply.ts';

describe('what nginx says of a configuration that it refuses', () => {
  it('names the remedy when its build lacks a usual module', () => {
    expect(buildHint('nginx: [emerg] unknown directive "limit_req_zone" in http.conf:24')).toMatch(/instead of nginx-light/);
  });
  it('says nothing of the build otherwise', () => {
    expect(buildHint('nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)')).toBe('');
  });
});
