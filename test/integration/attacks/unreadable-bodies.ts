// Bodies and codings that nginx itself refuses, at whatever place on a request's way: our words, never its HTML.
import { expect, it } from 'vitest';
import { type RawAnswer, request } from '../../env/raw-request.ts';
import { bearerLine, expectNothingUpstream, expectStatus } from './harness.ts';
import { harness } from './one-gateway.ts';

const NO_CHUNK = 'zz\r\n[]\r\n0\r\n\r\n';
const HUGE_CHUNK = `1400000\r\n${'a'.repeat(1000)}`;
const PLACES = ['/api/logs/', '/api/variables/', '/.lictor/login'];

it.each(PLACES)('a malformed chunk for %s is 400 in JSON', async (path) => {
  const answer = await post(path, NO_CHUNK, bearerLine(harness.admin));
  expectStatus(answer, 400, path);
  expectJson(answer, 'request-invalid');
});
it.each(PLACES)('a chunk beyond the limit for %s is 413 in JSON', async (path) => {
  const answer = await post(path, HUGE_CHUNK, bearerLine(harness.admin));
  expectStatus(answer, 413, path);
  expectJson(answer, 'body-too-large');
});
it.each([['gzip, chunked'], ['identity']])('a transfer coding of %s is 400 in JSON', async (coding) => {
  const { port } = harness.gateway;
  const lines = ['POST /api/logs/ HTTP/1.1', `Host: localhost:${port}`, bearerLine(harness.admin), `Transfer-Encoding: ${coding}`];
  const answer = await request(port, lines, '0\r\n\r\n');
  expectStatus(answer, 400, coding);
  expectJson(answer, 'request-invalid');
});
it('a protocol version that is none is 400 in JSON', async () => {
  const { port } = harness.gateway;
  const answer = await request(port, ['GET /api/version HTTP/3.7', `Host: localhost:${port}`]);
  expectJson(answer, 'request-invalid');
});

function post(path: string, chunks: string, credential: string): Promise<RawAnswer> {
  const { port } = harness.gateway;
  const here = `http://localhost:${port}`;
  const lines = [
    `POST ${path} HTTP/1.1`,
    `Host: localhost:${port}`,
    credential,
    `Origin: ${here}`,
    'Content-Type: application/json',
    'Transfer-Encoding: chunked',
  ];
  return request(port, lines, chunks);
}

function expectJson(answer: RawAnswer, code: string): void {
  expect(answer.text).not.toContain('<html>');
  expect(answer.text).toMatch(/^content-type: application\/json/im);
  expect(answer.text).toContain(`"code":"${code}"`);
  expectNothingUpstream(harness);
}
