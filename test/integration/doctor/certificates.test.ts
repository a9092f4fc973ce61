// Faults of certificates: served by a gateway over TLS, and in the files while none runs.

import { X509Certificate } from 'node:crypto';
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fetchServed } from '../../../src/operations/doctor/outside/certificates.ts';
import { type Authority, createAuthority, type Issued } from '../../env/authority.ts';
import { startGateway } from '../../env/gateway.ts';
import { workersAfter } from '../../env/gateway-processes.ts';
import { sharedPrefect } from '../../env/prefect.ts';
import { signalProcess, waitFor } from '../../env/process.ts';
import { startRecorder } from '../../env/upstream-recorder.ts';
import { expectExactly, type Fault, type Planting, type Room, SOCKETS } from './fault.ts';
import { diagnose, linesOf, lookFor } from './room.ts';

let authority: Authority;
let good: Issued;
let files: { readonly cert: string; readonly key: string };
let room: Room;
beforeAll(async () => {
  authority = createAuthority();
  good = authority.issue({ names: ['localhost'], days: 30 });
  const spare = mkdtempSync(join(tmpdir(), 'lictor-test-doctor-'));
  files = { cert: join(spare, 'chain.pem'), key: join(spare, 'key.pem') };
  put({ cert: good.chain, key: good.key });
  const { url, authString } = sharedPrefect();
  const gateway = await startGateway({ upstream: { url, authString }, tls: files, openStateDir: true });
  room = { gateway, spare, recorder: await startRecorder() };
});
afterAll(async () => {
  await room?.gateway.close();
  await room?.recorder.close();
  authority?.remove();
  if (room !== undefined) rmSync(room.spare, { recursive: true, force: true });
});

interface Pair {
  readonly cert: string;
  readonly key: string;
}

function put({ cert, key }: Pair): void {
  copyFileSync(cert, files.cert);
  copyFileSync(key, files.key);
}

/** The running gateway serves this pair from now on. */
async function serve(pair: Pair): Promise<void> {
  const former = room.gateway.pids().workers;
  put(pair);
  signalProcess(room.gateway.pids().supervisor, 'SIGHUP');
  const { fingerprint256 } = new X509Certificate(readFileSync(pair.cert));
  const served = async () => (await fetchServed({ hostname: 'localhost', port: room.gateway.port, authorities: [] })).certificate.fingerprint256;
  await waitFor(async () => (await served()) === fingerprint256, { what: 'the certificate to be served', timeoutMs: 60_000 });
  await workersAfter(former, room.gateway.pids);
}

const trusting = (): Planting => ({ env: { SSL_CERT_FILE: authority.root } });

async function served(pair: Pair): Promise<Planting> {
  await serve(pair);
  return { ...trusting(), undo: () => serve({ cert: good.chain, key: good.key }) };
}

/** The files as they would be served, with a gateway that does not run. */
function idle(pair: Pair): Planting {
  return { ...trusting(), config: { tls: pair }, stateDir: mkdtempSync(join(room.spare, 'idle-')) };
}

function issue(days: number, name = 'localhost'): Pair {
  const { chain, key } = authority.issue({ names: [name], days });
  return { cert: chain, key };
}

const FAULTS: readonly Fault[] = [
  { name: 'an authority that clients do not know', fails: ['certificates/chain'], says: /authority unknown|unknown to/, plant: () => ({}) },
  {
    name: 'an authority that is another than clients know',
    fails: ['certificates/chain'],
    says: /authority unknown to .*root\.pem|unknown to .*root\.pem/,
    plant: () => {
      const other = createAuthority();
      return { env: { SSL_CERT_FILE: other.root }, undo: other.remove };
    },
  },
  { name: 'an expired certificate', fails: ['certificates/expiry', 'public-url/ui-settings', ...SOCKETS], says: /expired on/, plant: () => served(issue(-1)) },
  { name: 'a certificate for another name', fails: ['certificates/name'], says: /not for localhost/, plant: () => served(issue(30, 'prefect.example.com')) },
  { name: 'a chain without its intermediate', fails: ['certificates/chain'], says: /incomplete/, plant: () => served({ cert: good.leaf, key: good.key }) },
  { name: 'an expired certificate in the files', fails: ['certificates/expiry', 'edge/processes'], says: /expired on/, plant: () => idle(issue(-1)) },
  {
    name: "somebody else's key in the files",
    fails: ['certificates/config', 'certificates/key', 'edge/processes'],
    says: /does not belong to/,
    plant: () => idle({ cert: good.chain, key: issue(30).key }),
  },
];

describe('certificates', () => {
  it('are fine for clients that know the authority, sockets too', async () => {
    const found = await lookFor([], () => diagnose(room.gateway, trusting()));
    expect(found.failures).toEqual([]);
    expect(found.lines.filter(({ group }) => group === 'certificates').map(({ check }) => check)).toEqual(['expiry', 'name', 'chain', 'key']);
  });

  it.each(FAULTS)('$name is named, and nothing else', (fault) => expectExactly(room, fault));

  it('have nothing to say about a sound pair of files', async () => {
    const found = await diagnose(room.gateway, idle({ cert: good.chain, key: good.key }));
    expect(found.lines.filter(({ group, status }) => group === 'certificates' && status !== 'ok')).toEqual([]);
  });

  it('that expire soon, or are renewed but not yet served, are a hint', async () => {
    const soon = await diagnose(room.gateway, idle(issue(5)));
    expect(linesOf(soon, 'certificates', 'expiry')).toMatchObject([{ status: 'warn' }]);
    const renewed = await diagnose(room.gateway, { ...trusting(), config: { tls: issue(30) } });
    expect(linesOf(renewed, 'certificates', 'key')).toMatchObject([{ status: 'warn', remedy: expect.stringContaining('SIGHUP') }]);
  });
});
