// research rows PN, HD, SM over TLS: by HTTP/1.1 and by HTTP/2, through one gateway.
import { describe } from 'vitest';
import { http2, tls } from '../../env/transport.ts';
import { useHarness } from './harness.ts';
import { gatewayDoor } from './rows/door.ts';
import { framingRows } from './rows/framing.ts';
import { gatewayHeaderRows, socketHeaderRows } from './rows/gateway-headers.ts';
import { headerRows } from './rows/headers.ts';
import { http2Rows } from './rows/http2.ts';
import { oldRequestRows, pathRows } from './rows/paths.ts';

const harness = useHarness({ secure: true });
const door = () => gatewayDoor(harness);

describe.each([tls, http2])('$name', (transport) => {
  pathRows(door, transport);
  headerRows(door, transport);
  gatewayHeaderRows(harness, transport);
});
describe('TLS', () => {
  oldRequestRows(door, tls);
  framingRows(door, tls);
  socketHeaderRows(harness);
});
describe('HTTP/2', () => http2Rows(door));
