// research rows SM over plain http, and straight at the control plane's sockets.
import { connect as connectUnix } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openEdgeSecret } from '../../../src/config/keys/edge-secret.ts';
import { plain } from '../../env/transport.ts';
import { expectNothingUpstream } from './harness.ts';
import { harness } from './one-gateway.ts';
import { gatewayDoor } from './rows/door.ts';
import { FRAMING, framingRows } from './rows/framing.ts';

framingRows(() => gatewayDoor(harness), plain);

/** Until the connection ends, or `deadlineMs`. */
const sendTo = (name: string, head: readonly string[], body: string, deadlineMs: number): Promise<string> => {
  const socket = connectUnix(join(harness.gateway.stateDir, 'run', `${name}.sock`));
  return new Promise<string>((resolve) => {
    const chunks: Buffer[] = [];
    const done = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(Buffer.concat(chunks).toString('latin1'));
    };
    const timer = setTimeout(done, deadlineMs);
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.once('end', done);
    socket.once('error', done);
    socket.write(Buffer.from(`${['POST /api/variables/ HTTP/1.1', 'Host: control', ...head].join('\r\n')}\r\n\r\n${body}`, 'latin1'));
  });
};

const shownByNginx = (): string => `X-Lictor-Edge: ${openEdgeSecret({ edgeSecret: join(harness.gateway.stateDir, 'keys', 'edge.key') })}`;

describe.each(['control', 'decision', 'relay'])("SM-04: the same straight at the control plane's %s.sock", (name) => {
  const send = (head: readonly string[], body: string, deadlineMs = 2_000): Promise<string> => sendTo(name, [shownByNginx(), ...head], body, deadlineMs);
  const statusesIn = (text: string): number[] => [...text.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map((match) => Number(match[1]));

  it.each(FRAMING)('SM-04: $name is 400 or closed', async ({ head, body }) => {
    const text = await send(head, body);
    expect(
      statusesIn(text).every((status) => status >= 400),
      text,
    ).toBe(true);
    expectNothingUpstream(harness);
  });

  it('SM-04 twin: an honest request is read, and refused for what it lacks', async () => {
    const text = await send(['Connection: close', 'Content-Length: 2'], '{}', 20_000);
    expect(statusesIn(text), text).toHaveLength(1);
    expect(text).not.toMatch(/^HTTP\/1\.1 400 Bad Request/);
  });
});

describe.each(['control', 'decision', 'relay', 'proxy'])("another program of the worker user, at the control plane's %s.sock", (name) => {
  it('gets no answer, whichever client it names', async () => {
    const forged = [`X-Lictor-In-Authorization: Bearer ${harness.admin}`, 'X-Lictor-In-Method: POST', 'X-Lictor-In-Path: /api/variables/'];
    for (const shown of [[], ['X-Lictor-Edge: another'], [shownByNginx(), shownByNginx()]])
      expect(await sendTo(name, [...shown, ...forged, 'Content-Length: 2'], '{}', 20_000)).toBe('');
    expectNothingUpstream(harness);
  });
});
