// What `lictor doctor --deep` finds in a proxy before a gateway.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { statePaths } from '../../src/config/state-dir.ts';
import { plainUrlOf, returnPathIn } from '../../src/operations/doctor/deep/chain/browser.ts';
import { chainChecks } from '../../src/operations/doctor/deep/chain/checks.ts';
import type { Finding } from '../../src/operations/doctor/finding.ts';
import { probe } from '../../src/operations/doctor/outside/http-probe.ts';
import { attemptSocket } from '../../src/operations/doctor/outside/sockets.ts';
import { runChecks } from '../../src/operations/doctor/run-checks.ts';
import type { Behind } from './behind-a-proxy.ts';
import type { Recorded, RecordedAnswer } from './upstream-recorder.ts';

/** As far as doctor needs a Prefect. */
export function answerAsPrefect({ target, headers }: Recorded): RecordedAnswer | undefined {
  if (headers['authorization'] === undefined) return { status: 401, body: '{"exception_message": "Unauthorized"}' };
  if (target.startsWith('/api/admin/version')) return { status: 200, body: '"3.9.1"' };
  return target === '/api/flows/filter' ? { status: 200, body: '[]' } : undefined;
}

/** `holdMs`: how long the proxy may hold a body. */
export async function chainFindings({ port, token, gateway, directory }: Behind, holdMs = 5_000): Promise<readonly Finding[]> {
  const publicUrl = { origin: `https://localhost:${port}`, hostname: 'localhost', port, secure: true, basePath: '' };
  const tls = { ca: [readFileSync(join(directory, 'cert.pem'), 'utf8')], allowPartialTrustChain: false, checkServerIdentity: () => undefined };
  const { accessLog, storeFile } = statePaths(gateway.stateDir, '');
  const subject = { chain: { publicUrl, probe, token: token.secret, tls }, trusted: ['127.0.0.1'], accessLog, attempt: attemptSocket, holdMs };
  return await runChecks(chainChecks({ ...subject, returnTo: returnPathIn(storeFile), plainUrl: plainUrlOf(publicUrl) }));
}
