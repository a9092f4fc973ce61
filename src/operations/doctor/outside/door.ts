// public_url from outside: health, readiness, and that no request passes without a credential.
import type { PublicUrl } from '../../../config/config.ts';
import { fail, ok, type Verdict } from '../finding.ts';
import { checkClock } from './clock.ts';
import { isHtml, jsonField, type Probe, type ProbeAnswer, type ProbeRequest, parseJson, serverWords } from './http-probe.ts';

export interface Door {
  readonly publicUrl: Pick<PublicUrl, 'origin' | 'basePath'>;
  readonly probe: (request: ProbeRequest) => Promise<Probe>;
}

export function baseOf({ origin, basePath }: Door['publicUrl']): string {
  return `${origin}${basePath}`;
}

/** Also compares the clock of the server at public_url, with the same answer. */
export async function checkHealth({ publicUrl, probe }: Door): Promise<readonly Verdict[]> {
  const url = `${baseOf(publicUrl)}/.lictor/health`;
  const answer = await probe({ url });
  if (!answer.ok) return [unreachable(url, answer.error)];
  if (answer.status === 200 && jsonField(answer.body, 'status') === 'ok') return [ok(`${url} answers`), checkClock('public_url', answer)];
  return [notOurs(url, answer)];
}

/** Names the parts that are not ready. */
export async function checkReady({ publicUrl, probe }: Door): Promise<Verdict> {
  const url = `${baseOf(publicUrl)}/.lictor/ready`;
  const answer = await probe({ url });
  if (!answer.ok) return unreachable(url, answer.error);
  const checks = jsonField(answer.body, 'checks');
  if (typeof checks !== 'object' || checks === null) return notOurs(url, answer);
  const failing = Object.entries(checks).flatMap(([name, state]) => (state === 'ok' ? [] : [name]));
  if (answer.status === 200 && failing.length === 0) return ok(`${url}: ${Object.keys(checks).join(', ')} ready`);
  return fail(
    `${url} says that it is ${answer.status === 200 ? 'degraded' : 'not ready'}: ${failing.join(', ')}`,
    'The lines of that part below, and STATE/log/control.log, say why.',
  );
}

/** Asks as a program, and as a browser: a UI in place of the API answers only the browser. */
export async function checkRefusal({ publicUrl, probe }: Door): Promise<readonly Verdict[]> {
  const url = `${baseOf(publicUrl)}/api/admin/version`;
  const [program, browser] = await Promise.all([probe({ url }), probe({ url, headers: { accept: 'text/html' } })]);
  return [judgeRefusal(url, program), ...judgePage(url, browser)];
}

function judgeRefusal(url: string, answer: Probe): Verdict {
  if (!answer.ok) return unreachable(url, answer.error);
  const { status, headers, body } = answer;
  if (status === 401 && typeof jsonField(body, 'code') === 'string') return ok('the gateway rejects /api without a credential: 401, in JSON');
  if (status === 200 && isHtml(answer)) return pageInPlace(url, answer);
  if (status === 200)
    return fail(
      `${url} answers without any credential${serverWords(answer)}`,
      'public_url leads to Prefect and bypasses this gateway: point it at the gateway.',
    );
  if (status >= 300 && status < 400) {
    return fail(
      `${url} without a credential is redirected to ${headers['location'] ?? 'somewhere'}${serverWords(answer)}`,
      'A login proxy is in between, and programs cannot log in there. Forward /api to the gateway unchanged.',
    );
  }
  if (isHtml(answer))
    return fail(
      `${url} without a credential answers ${status} with a page${serverWords(answer)}`,
      'A proxy in between replaces JSON with its own page: forward error answers unchanged.',
    );
  if (status === 401)
    return fail(
      `${url} answers 401, but not with the gateway's JSON${serverWords(answer)}`,
      'A proxy in between, or Prefect itself, requires a credential: point public_url at the gateway.',
    );
  return notOurs(url, answer);
}

/** A browser may be sent to the login page. A page with status 200 is a wrong mapping that looks healthy. */
function judgePage(url: string, answer: Probe): readonly Verdict[] {
  return answer.ok && answer.status === 200 && isHtml(answer) ? [pageInPlace(url, answer)] : [];
}

/** The gateway itself answers the UI's settings, whatever Prefect would answer. */
export async function checkUiSettings({ publicUrl, probe }: Door, authorised: Pick<ProbeRequest, 'headers' | 'tls'>): Promise<Verdict> {
  const url = `${baseOf(publicUrl)}/ui-settings`;
  const answer = await probe({ url, ...authorised });
  if (!answer.ok) return unreachable(url, answer.error);
  const api = jsonField(answer.body, 'api_url');
  const expected = `${publicUrl.basePath}/api`;
  if (api === expected || api === `${publicUrl.origin}${expected}`) return ok(`the UI uses the API at ${String(api)}`);
  if (typeof api !== 'string') return notOurs(url, answer);
  return fail(`the UI uses the API at ${api}, which is not this gateway`, 'A proxy in between rewrites /ui-settings: forward it unchanged.');
}

function pageInPlace(url: string, answer: ProbeAnswer): Verdict {
  return fail(
    `${url} answers 200 with a page where the API should be${serverWords(answer)}`,
    "The proxy maps the UI, or another site, in place of the API. Forward the whole path, with /api. A check with 'Accept: text/html' looks healthy there.",
  );
}

function notOurs(url: string, answer: ProbeAnswer): Verdict {
  const code = jsonField(answer.body, 'code');
  // The answer has the form of Lictor's denials: a proxy in between, or a part of the gateway, causes it.
  if (typeof code === 'string' && typeof jsonField(answer.body, 'request_id') === 'string') return refusedByUs(url, answer.status, code);
  const kind = isHtml(answer) ? ' with a page' : parseJson(answer.body) === undefined ? '' : ' with JSON of another kind';
  return fail(
    `${url} answers ${answer.status}${kind}, which is not this gateway${serverWords(answer)}`,
    'Point public_url, and every proxy before it, at the address in listen.',
  );
}

function refusedByUs(url: string, status: number, code: string): Verdict {
  const remedy =
    status === 401
      ? 'A proxy in between drops the credential (X-Lictor-Token), or the gateway uses another store than this command: check --state-dir.'
      : 'The lines of edge and machine, and STATE/log/control.log, say why.';
  return fail(`${url}: the gateway answers ${status} ${code}`, remedy);
}

function unreachable(url: string, error: string): Verdict {
  return fail(`${url} cannot be reached: ${error}`, 'Check that the name in public_url leads here, and that its port is open in firewalls and proxies.');
}
