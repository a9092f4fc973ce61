// research rows HD, where the control plane has a part in them: the mediated path, and the address in the ledger.
import { expect, it } from 'vitest';
import { jsonLines } from '../../../env/gateway.ts';
import { waitFor } from '../../../env/process.ts';
import { authFrame, openSocket } from '../../../env/socket.ts';
import type { Transport } from '../../../env/transport.ts';
import { bearerLine, expectNothingUpstream, expectStatus, type Harness } from '../harness.ts';
import { gatewayDoor } from './door.ts';
import { FORGED, forgedUpstream } from './headers.ts';

const ELSEWHERE = ['X-Forwarded-For: 203.0.113.9', 'X-Real-IP: 203.0.113.9', 'Forwarded: for=203.0.113.9'];

export function gatewayHeaderRows(harness: Harness, transport: Transport): void {
  const port = () => harness.gateway.port;

  it("HD-03, HD-08: a client's identity headers never reach the upstream on the mediated path", async () => {
    const body = '{"name":"v","value":1}';
    const headers = [bearerLine(harness.admin), 'Content-Type: application/json', `Content-Length: ${body.length}`, ...FORGED];
    expectStatus(await transport.send(port(), { method: 'POST', target: '/api/variables/', headers, body }), 200, 'mediated');
    expect(harness.recorder.seen()).toHaveLength(1);
    expect(forgedUpstream(gatewayDoor(harness))).toEqual([]);
  });

  it('HD-07: the address in the ledger is the socket peer, whatever X-Forwarded-For says', async () => {
    const path = `/api/work_pools/hd07-${transport.name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')}`;
    const headers = [bearerLine(harness.admin), ...ELSEWHERE, 'User-Agent: hd-07'];
    expectStatus(await transport.send(port(), { target: path, headers }), 200, 'HD-07');
    const record = await waitFor(async () => jsonLines(await harness.gateway.lictorOk('audit', '--json')).find((line) => line['path'] === path), {
      what: 'the record of the request',
    });
    expect(record).toMatchObject({ source_ip: '127.0.0.1', user_agent: 'hd-07', principal: 'token:t-admin' });
  });

  it('HD-07: a token bound to a network is not fooled by X-Forwarded-For', async () => {
    const { secret } = await harness.gateway.token(`elsewhere-${transport.name.replace('/', '')}`, ['viewer'], '--cidr', '203.0.113.0/24');
    const answer = await transport.send(port(), { target: '/api/work_pools/p', headers: [bearerLine(secret), ...ELSEWHERE] });
    expectStatus(answer, 401, 'bound');
    expect(answer.text).toContain('"code":"credential-address"');
    expectNothingUpstream(harness);
  });
}

/** Sockets are opened by HTTP/1.1's `Upgrade` alone. */
export function socketHeaderRows(harness: Harness): void {
  const forged = Object.fromEntries(FORGED.map((line) => line.split(': ')));
  const open = (path: string, headers: Readonly<Record<string, string>>, token: string | null) => {
    const { url } = harness.gateway;
    return openSocket(url, path, { headers: { ...forged, ...headers }, first: authFrame(token), trustAnyCertificate: url.startsWith('https:') });
  };

  it("HD-03, HD-08: a client's identity headers never reach the upstream on a socket", async () => {
    const ways: [Readonly<Record<string, string>>, string | null][] = [
      [{ authorization: `Bearer ${harness.admin}` }, null],
      [{}, `any:${harness.admin}`],
    ];
    for (const [headers, token] of ways) {
      const socket = open('/api/events/in', headers, token);
      const sockets = harness.recorder.firstFrames().length;
      await waitFor(() => socket.frames().some((frame) => frame.includes('auth_success')), { what: 'auth_success' });
      // Where Prefect is slow the gateway greets before it is there.
      await waitFor(() => harness.recorder.firstFrames().length > sockets, { what: 'the socket upstream' });
      socket.close();
      await socket.ended;
    }
    expect(harness.recorder.seen().map(({ target, socket }) => [target, socket])).toEqual(ways.map(() => ['/api/events/in', true]));
    expect(forgedUpstream(gatewayDoor(harness))).toEqual([]);
  });

  it('HD-01, HD-02, HD-03: no header opens a socket in place of a credential', async () => {
    expect((await open('/api/events/in', {}, null).ended).code).toBe(1008);
    expect((await open('/api/work_pools/p', {}, null).ended).status).toBe(401);
    expectNothingUpstream(harness);
  });
}
