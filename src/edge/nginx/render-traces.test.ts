import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { bareService } from '../../config/service.fixture.ts';
import { renderHttp } from './render-traces.ts';

const HTTP = readFileSync(join(import.meta.dirname, '../../../nginx/http.conf'), 'utf8');
const TRACES = { url: 'http://127.0.0.1:4318/', headers: {}, ca: null, timeoutMs: 1, share: 1 };

it('the access line changes with traces alone', () => {
  expect(renderHttp(HTTP, { traces: null, services: [] })).toBe(HTTP);
  expect(renderHttp(HTTP, { traces: TRACES, services: [] })).toContain(`"pid":$pid,"trace":"$lictor_trace"}';`);
});

it('and with a service that has a cache, the cache status too', () => {
  const services = [bareService('kept', [], { cache: [{ patterns: ['/*'], ttlSeconds: 1, shared: false, staleSeconds: 0, mostBytes: 10_000_000 }] })];
  expect(renderHttp(HTTP, { traces: null, services: [bareService('plain', [])] })).toBe(HTTP);
  expect(renderHttp(HTTP, { traces: null, services })).toBe(HTTP.replace('"pid":$pid}', () => '"pid":$pid,"cache":"$lictor_cache"}'));
  expect(renderHttp(HTTP, { traces: TRACES, services })).toContain(`"pid":$pid,"cache":"$lictor_cache","trace":"$lictor_trace"}';`);
});

it('says so when the line has another form', () => {
  expect(() => renderHttp('log_format x;', { traces: TRACES, services: [] })).toThrow('http.conf has no');
});
