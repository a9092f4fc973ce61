// research rows HD over plain http, and on sockets.
import { expect, it } from 'vitest';
import { rawRequest } from '../../env/raw-request.ts';
import { plain } from '../../env/transport.ts';
import { bearerLine, useHarness } from './harness.ts';
import { gatewayDoor } from './rows/door.ts';
import { gatewayHeaderRows } from './rows/gateway-headers.ts';
import { FORGED, forgedUpstream, headerRows } from './rows/headers.ts';

const harness = useHarness();

headerRows(() => gatewayDoor(harness), plain);
gatewayHeaderRows(harness, plain);

it("HD-03: a client's identity headers never reach the upstream on a socket", async () => {
  const { port } = harness.gateway;
  const upgrade = ['Upgrade: websocket', 'Connection: Upgrade', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
  const lines = ['GET /api/events/in HTTP/1.1', `Host: localhost:${port}`, bearerLine(harness.admin), ...upgrade, 'Sec-WebSocket-Protocol: prefect'];
  const answer = await rawRequest(port, [...lines, ...FORGED, '', ''].join('\r\n'), 1_500);
  expect(answer.text).toMatch(/^HTTP\/1\.1 101/);
  expect(forgedUpstream(gatewayDoor(harness))).toEqual([]);
});
