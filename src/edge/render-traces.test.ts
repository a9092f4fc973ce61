import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { renderHttp } from './render-traces.ts';

const HTTP = readFileSync(join(import.meta.dirname, '../../nginx/http.conf'), 'utf8');
const TRACES = { url: 'http://127.0.0.1:4318/', headers: {}, ca: null, timeoutMs: 1, share: 1 };

it('the access line changes with traces alone', () => {
  expect(renderHttp(HTTP, { traces: null })).toBe(HTTP);
  expect(renderHttp(HTTP, { traces: TRACES })).toContain(`"pid":$pid,"trace":"$lictor_trace"}';`);
});

it('says so when the line has another form', () => {
  expect(() => renderHttp('log_format x;', { traces: TRACES })).toThrow('http.conf has no');
});
