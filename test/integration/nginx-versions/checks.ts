// What the edge must do on nginx versions other than the machine's, for real.
// One that cannot be had is a failure with its remedy: a version that nobody ran is not supported.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { atLeast, findNginx } from '../../../src/edge/nginx/version.ts';
import { selfSigned } from '../../env/certificate.ts';
import { testManyServices } from '../../env/many-services.ts';
import { bringNginx, type Release } from '../../env/nginx-versions.ts';
import { type StubEdge, startStubEdge } from '../../env/stub-edge.ts';
import { http2, tls } from '../../env/transport.ts';
import { edgeDoor } from '../attacks/rows/door.ts';
import { framingRows } from '../attacks/rows/framing.ts';
import { headerRows } from '../attacks/rows/headers.ts';
import { http2Rows } from '../attacks/rows/http2.ts';
import { oldRequestRows, pathRows } from '../attacks/rows/paths.ts';
import { edgeEssence } from '../edge-essence.ts';

/** Registers the checks of one release of Debian and its nginx; call inside `describe`. */
export function nginxChecks(release: Release, major: number, minor: number): void {
  let env: NodeJS.ProcessEnv;
  beforeAll(async () => {
    env = { ...process.env, LICTOR_NGINX: await bringNginx(release) };
  });

  it(`is ${major}.${minor} or newer`, async () => {
    expect(atLeast(await findNginx(env), major, minor, 0)).toBe(true);
  });

  it('takes a hundred services without a warning', async () => {
    expect((await testManyServices(100, env)).filter((line) => line.includes('[warn]'))).toEqual([]);
  });

  edgeEssence(() => env);
  describe('hostile requests', () => attackRows(() => env));
}

/** research rows PN, HD, SM over TLS, as test/integration/attacks has them for the whole gateway. */
function attackRows(find: () => NodeJS.ProcessEnv): void {
  let edge: StubEdge;
  beforeAll(async () => {
    const { cert, key } = await selfSigned();
    edge = await startStubEdge({ tls: { certFile: cert, keyFile: key, selfMadeBy: null, client: null } }, find());
  });
  afterAll(() => edge?.stop());
  beforeEach(() => edge.clear());
  const door = () => edgeDoor(edge);

  describe.each([tls, http2])('$name', (transport) => {
    pathRows(door, transport);
    headerRows(door, transport);
  });
  describe('TLS', () => {
    oldRequestRows(door, tls);
    framingRows(door, tls, async () => !atLeast(await findNginx(find()), 1, 21, 1));
  });
  describe('HTTP/2', () => http2Rows(door));
}
