// Whether requests arrive as the client wrote them: path, method, long lines, and the addresses outside the path of public_url.
import { wellKnownPaths } from '../../../../contract/names.ts';
import type { Verdict } from '../../finding.ts';
import { jsonField } from '../../outside/http-probe.ts';
import { type DeepCode, fault } from '../codes.ts';
import { answerWords, apiOnce, askAsStranger, type Chain, codeOf } from './chain.ts';

export async function checkTarget(chain: Chain): Promise<readonly Verdict[]> {
  const found = await Promise.all([
    ...NOT_CANONICAL.map((path) => checkPath(chain, path)),
    checkMethods(chain),
    checkLong(chain, 'target-limited', { path: `${apiOnce()}${'x'.repeat(LONG)}`, headers: {} }),
    checkLong(chain, 'header-limited', { path: apiOnce(), headers: { cookie: `lictor-doctor=${'x'.repeat(LONG)}` } }),
    checkMetadata(chain),
  ]);
  const all = found.flat();
  return all.filter(({ code }, index) => all.findIndex((other) => other.code === code) === index);
}

/** The gateway rejects these. A proxy that rewrites them would hide them from the decision. */
const NOT_CANONICAL = ['/api//lictor-doctor', '/api/lictor%2Fdoctor', '/api/lictor%5Cdoctor'];

async function checkPath(chain: Chain, path: string): Promise<readonly Verdict[]> {
  const code = codeOf(await askAsStranger(chain, path));
  if (code === undefined || code === 'path-not-canonical') return []; // A proxy may reject or redirect it too.
  return [fault('path-rewritten', `${path} arrives as another path at the gateway, which answers ${code}`)];
}

async function checkMethods(chain: Chain): Promise<readonly Verdict[]> {
  const methods = ['PUT', 'PATCH', 'DELETE'];
  const answers = await Promise.all(methods.map((method) => askAsStranger(chain, '/api/variables/lictor-doctor', { method })));
  const blocked = methods.filter((_, index) => answers[index]?.ok === true && codeOf(answers[index]) === undefined);
  if (blocked.length === 0) return [];
  return [fault('method-blocked', `${blocked.join(', ')} do not arrive at the gateway: a proxy in between answers`)];
}

/** A token of a provider may have 7 KiB. */
const LONG = 7 * 1024;

interface LongRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function checkLong(chain: Chain, code: DeepCode, { path, headers }: LongRequest): Promise<readonly Verdict[]> {
  const answer = await askAsStranger(chain, path, { headers });
  if (codeOf(answer) !== undefined) return [];
  const what = code === 'target-limited' ? 'an address' : 'a header';
  return [fault(code, `${what} of 7 KiB does not arrive at the gateway: a proxy in between answers ${answerWords(answer)}`)];
}

/** RFC 8414: at the root of the host, with the path of public_url behind it. */
async function checkMetadata({ publicUrl, probe }: Chain): Promise<readonly Verdict[]> {
  const { origin, basePath } = publicUrl;
  const [path = ''] = wellKnownPaths(basePath).server.filter((known) => known.startsWith('/.well-known/') && known.endsWith(basePath));
  const answer = await probe({ url: `${origin}${path}` });
  if (answer.ok && jsonField(answer.body, 'issuer') === `${origin}${basePath}`) return [];
  return [fault('metadata-lost', `${origin}${path} is not the metadata of this gateway: ${answerWords(answer)}`)];
}
