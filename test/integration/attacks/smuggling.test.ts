// research rows SM: two parsers that disagree on where a request ends.
import { connect as connectUnix } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rawRequest } from '../../env/raw-request.ts';
import { bearerLine, expectNothingUpstream, useHarness } from './harness.ts';

const harness = useHarness();

/** The request that must never be carried out; it stands where a second parser could find it. */
const SMUGGLED = 'DELETE /api/work_pools/smuggled HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n';

interface Case {
  readonly name: string;
  readonly head: readonly string[];
  readonly body: string;
}

const CASES: readonly Case[] = [
  { name: 'CL.TE', head: ['Content-Length: 6', 'Transfer-Encoding: chunked'], body: `0\r\n\r\n${SMUGGLED}` },
  { name: 'TE.CL', head: ['Transfer-Encoding: chunked', 'Content-Length: 4'], body: `5c\r\n${SMUGGLED}\r\n0\r\n\r\n` },
  { name: 'two Content-Length', head: ['Content-Length: 0', 'Content-Length: 44'], body: SMUGGLED },
  { name: 'Content-Length list', head: ['Content-Length: 0, 44'], body: SMUGGLED },
  { name: 'signed Content-Length', head: ['Content-Length: +0'], body: SMUGGLED },
  { name: 'negative Content-Length', head: ['Content-Length: -1'], body: SMUGGLED },
  { name: 'space before the colon', head: ['Transfer-Encoding : chunked'], body: `0\r\n\r\n${SMUGGLED}` },
  { name: 'unknown coding', head: ['Transfer-Encoding: xchunked'], body: `0\r\n\r\n${SMUGGLED}` },
  { name: 'two codings', head: ['Transfer-Encoding: identity, chunked'], body: `0\r\n\r\n${SMUGGLED}` },
  { name: 'two Transfer-Encoding', head: ['Transfer-Encoding: chunked', 'Transfer-Encoding: identity'], body: `0\r\n\r\n${SMUGGLED}` },
  { name: 'obs-fold', head: ['X-A: b', ' Transfer-Encoding: chunked'], body: `0\r\n\r\n${SMUGGLED}` },
  { name: 'bare CR in a header', head: ['X-A: b\rTransfer-Encoding: chunked'], body: SMUGGLED },
  { name: 'NUL in a header', head: ['X-A: b\0c'], body: '' },
  { name: 'bad chunk size', head: ['Transfer-Encoding: chunked'], body: `0x0\r\n\r\n${SMUGGLED}` },
  { name: 'overlong chunk size', head: ['Transfer-Encoding: chunked'], body: `ffffffffffffffffff\r\n${SMUGGLED}` },
];

describe('SM-01: ambiguous framing', () => {
  it.each(CASES)('SM-01: $name never carries out a second request', async ({ head, body }) => {
    const lines = [
      'POST /api/variables/filter HTTP/1.1',
      `Host: localhost:${harness.gateway.port}`,
      bearerLine(harness.viewer),
      'Content-Type: application/json',
      ...head,
    ];
    const answer = await rawRequest(harness.gateway.port, `${lines.join('\r\n')}\r\n\r\n${body}`);
    expect(answer.statuses[0], answer.text).toBeGreaterThanOrEqual(400);
    expect(
      answer.statuses.some((status) => status < 400),
      answer.text,
    ).toBe(false);
    expect(answer.closed).toBe(true);
    expectNothingUpstream(harness);
  });

  it('SM-01: a chunk extension and trailers end where they end, and are not passed on', async () => {
    const head = [
      'POST /api/variables/filter HTTP/1.1',
      `Host: localhost:${harness.gateway.port}`,
      bearerLine(harness.viewer),
      'Content-Type: application/json',
      'Connection: close',
      'Transfer-Encoding: chunked',
    ];
    await rawRequest(harness.gateway.port, `${head.join('\r\n')}\r\n\r\n2;x="\n"\r\n{}\r\n0\r\nX-Forwarded-User: root\r\n\r\n${SMUGGLED}`);
    const seen = harness.recorder.seen();
    expect(seen.filter(({ method }) => method === 'DELETE')).toEqual([]);
    expect(JSON.stringify(seen)).not.toContain('root');
  });

  it('SM-01 twin: an honest chunked body arrives whole', async () => {
    const head = [
      'POST /api/variables/filter HTTP/1.1',
      `Host: localhost:${harness.gateway.port}`,
      bearerLine(harness.viewer),
      'Content-Type: application/json',
      'Connection: close',
      'Transfer-Encoding: chunked',
    ];
    const answer = await rawRequest(harness.gateway.port, `${head.join('\r\n')}\r\n\r\nb\r\n{"limit":10\r\n1\r\n}\r\n0\r\n\r\n`);
    expect(answer.statuses).toEqual([200]);
    expect(harness.recorder.seen().map(({ body }) => body.toString())).toEqual(['{"limit":10}']);
  });
});

describe("SM-04: the same straight at the control plane's socket", () => {
  it.each(CASES)('SM-04: $name is 400 or closed', async ({ head, body }) => {
    const socket = connectUnix(join(harness.gateway.stateDir, 'run', 'control.sock'));
    const text = await new Promise<string>((resolve) => {
      const chunks: Buffer[] = [];
      const done = (): void => {
        clearTimeout(timer);
        socket.destroy();
        resolve(Buffer.concat(chunks).toString('latin1'));
      };
      const timer = setTimeout(done, 2_000);
      socket.on('data', (chunk) => chunks.push(chunk));
      socket.once('end', done);
      socket.once('error', done);
      socket.write(Buffer.from(`${['POST /api/variables/ HTTP/1.1', 'Host: control', ...head].join('\r\n')}\r\n\r\n${body}`, 'latin1'));
    });
    const statuses = [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map((match) => Number(match[1]));
    expect(
      statuses.every((status) => status >= 400),
      text,
    ).toBe(true);
    expectNothingUpstream(harness);
  });
});
