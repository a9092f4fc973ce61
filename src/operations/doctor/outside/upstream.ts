// Prefect itself, asked directly: with the gateway's credential, and without one (a bypass).

import type { PublicUrl } from '../../../config/config.ts';
import type { Operation } from '../../../contract/operation.ts';
import { compareWithOpenApi } from '../../../prefect/catalog/compare.ts';
import { holesOf, VIRTUAL_PATCHES } from '../../../prefect/catalog/virtual-patches.ts';
import { fail, ok, type Verdict, warn } from '../finding.ts';
import { checkClock } from './clock.ts';
import { isHtml, jsonField, type Probe, type ProbeRequest, parseJson, serverWords, type Trust } from './http-probe.ts';

export interface UpstreamSubject {
  /** Without a trailing slash and without `/api`. */
  readonly url: string;
  /** The gateway's credential. Null: none. */
  readonly authorization: string | null;
  /** How its certificate is verified, for https. */
  readonly tls: Trust;
  readonly probe: (request: ProbeRequest) => Promise<Probe>;
}

/** Reachable, accepts the credential, is Prefect; and its clock. */
export async function checkCredential(subject: UpstreamSubject): Promise<readonly Verdict[]> {
  const answer = await ask(subject, '/api/admin/version');
  if (!answer.ok) return [certificateProblem(subject.url, answer.error) ?? unreachable(subject.url, answer.error)];
  const clock = checkClock('Prefect', answer);
  if (answer.status === 401 || answer.status === 403) return [wrongCredential(subject, answer.status), clock];
  if (isHtml(answer))
    return [
      fail(
        `${subject.url}/api/admin/version answers ${answer.status} with a page${serverWords(answer)}`,
        'prefect.url leads to a UI or another site: give the address of the Prefect server itself.',
      ),
    ];
  const version = parseJson(answer.body);
  if (answer.status !== 200 || typeof version !== 'string') {
    return [
      fail(
        `${subject.url}/api/admin/version answers ${answer.status}, which is not Prefect${serverWords(answer)}`,
        'Set prefect.url to the address of a Prefect 3 server.',
      ),
    ];
  }
  return [ok(`Prefect ${version} at ${subject.url} answers, and accepts the credential`), clock];
}

function unreachable(url: string, error: string): Verdict {
  return fail(
    `Prefect at ${url} cannot be reached: ${error}`,
    'Check that it runs and that prefect.url is its address as this machine sees it: http or https, no /api, no path.',
  );
}

/** By the codes of OpenSSL and Node for a rejected certificate. Undefined: another error. */
function certificateProblem(url: string, error: string): Verdict | undefined {
  if (error === 'CERT_HAS_EXPIRED')
    return fail(`the certificate of Prefect at ${url} has expired`, 'Renew it on the Prefect server, and check the clocks of both.');
  if (error === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return fail(`the certificate of Prefect at ${url} is for another name`, 'Use a name of its subjectAltName in prefect.url, or replace the certificate.');
  }
  if (!/CERT|SIGNED|SIGNATURE/.test(error)) return undefined;
  return fail(
    `the certificate of Prefect at ${url} is not trusted: ${error}`,
    'Name the authority that signed it in prefect.ca_file (PEM), and let Prefect send its whole chain.',
  );
}

function wrongCredential({ url, authorization }: UpstreamSubject, status: number): Verdict {
  return authorization === null
    ? fail(
        `Prefect at ${url} requires a credential (${status}) and none is configured`,
        'Put its PREFECT_SERVER_API_AUTH_STRING into a file and name it in prefect.auth_string_file.',
      )
    : fail(
        `Prefect at ${url} rejects the credential (${status})`,
        "Write the text of Prefect's PREFECT_SERVER_API_AUTH_STRING to prefect.auth_string_file (a valid key to api_key_file), then kill -HUP the gateway.",
      );
}

/** Prefect must reject direct requests without its auth string. Otherwise clients can bypass the gateway. */
export async function checkBackDoor({ url, probe }: UpstreamSubject): Promise<readonly Verdict[]> {
  const answer = await probe({ url: `${url}/api/flows/filter`, method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"limit": 1}' });
  if (!answer.ok) return [notReached('a bypass', `${url}/api/flows/filter`, answer.error)];
  if (answer.status !== 200 || isHtml(answer))
    return [
      ok(
        `Prefect rejects clients that connect to ${url} without its auth string (${answer.status}); a client that has it and reaches Prefect still bypasses the gateway`,
      ),
    ];
  return [
    fail(
      `bypass: ${url} answers requests without any credential, so clients can bypass the gateway`,
      'Start Prefect with PREFECT_SERVER_API_AUTH_STRING=user:password, give the same to prefect.auth_string_file, and close its port to all but this machine.',
    ),
  ];
}

/** Routes of this Prefect that the catalogue lacks: the gateway denies them. */
export async function checkRoutes(subject: UpstreamSubject, operations: (version: string) => readonly Operation[]): Promise<Verdict | readonly Verdict[]> {
  const answer = await ask(subject, '/api/openapi.json');
  const place = `${subject.url}/api/openapi.json`;
  if (!answer.ok) return notReached('the routes', place, answer.error);
  if (answer.status === 401 || answer.status === 403) return notReached('the routes', place, `the credential is rejected (${answer.status})`);
  const version = await versionOf(subject);
  const differences = answer.status === 200 ? comparison(operations(version ?? ''), answer.body) : undefined;
  if (differences === undefined)
    return warn(
      'the routes of Prefect cannot be compared: it gives no readable OpenAPI document',
      'Compare its version with the one in docs/reference/rights.md by hand.',
    );
  const unknown = differences.filter(({ kind }) => kind !== 'gone');
  if (unknown.length > 0) {
    const names = unknown.map(({ operationId }) => operationId);
    return warn(
      `${unknown.length} routes of this Prefect are not in the catalogue, so the gateway denies them: ${names.slice(0, 5).join(', ')}${names.length > 5 ? ', ...' : ''}`,
      'A newer Prefect needs a newer Lictor: upgrade Lictor, or do without these routes.',
    );
  }
  const gone = differences.length;
  return ok(
    gone === 0
      ? 'every route of Prefect is in the catalogue'
      : `every route of Prefect is in the catalogue; ${gone} of the catalogue's are not in this older Prefect`,
  );
}

/** Vulnerabilities of older releases that the gateway stops. A client that bypasses the gateway can use them. */
export async function checkHoles(subject: UpstreamSubject): Promise<readonly Verdict[]> {
  const version = await versionOf(subject);
  if (version === undefined) return [notReached('the virtual patches', `${subject.url}/api/admin/version`, 'it names no version')];
  const holes = holesOf(version);
  if (holes.length === 0) return [ok(`${VIRTUAL_PATCHES.length} virtual patches are on; Prefect ${version} needs none of them`)];
  return holes.map(({ cve, hole, stopped, fixedIn }) =>
    warn(
      `Prefect ${version} has ${cve} (${hole}); the gateway stops it: ${stopped}`,
      `Upgrade Prefect to ${fixedIn} or newer; until then no client may bypass the gateway.`,
    ),
  );
}

/** The check of the credential reports the cause. Every further check reports only what it could not check. */
export function notReached(what: string, url: string, why: string): Verdict {
  return warn(`${what} could not be checked: ${url} was not reached (${why})`, 'If upstream credential is ok, Prefect was only slow: run lictor doctor again.');
}

async function versionOf(subject: UpstreamSubject): Promise<string | undefined> {
  const answer = await ask(subject, '/api/admin/version');
  const version = answer.ok && answer.status === 200 ? parseJson(answer.body) : undefined;
  return typeof version === 'string' ? version : undefined;
}

/**
 * The gateway overrides the address in Prefect's UI settings, so a wrong one is harmless behind it. A UI below another path than that of public_url is an
 * error.
 */
export async function checkUiTarget(subject: UpstreamSubject, publicUrl: Pick<PublicUrl, 'origin' | 'basePath'>): Promise<Verdict | readonly Verdict[]> {
  const answer = await ask(subject, `${publicUrl.basePath}/ui-settings`);
  if (!answer.ok) return notReached('the address in the UI', `${subject.url}${publicUrl.basePath}/ui-settings`, answer.error);
  const api = jsonField(answer.body, 'api_url');
  if (typeof api !== 'string') return checkUiBase(subject, publicUrl); // no UI there
  const own = [`${publicUrl.origin}${publicUrl.basePath}/api`, `${publicUrl.basePath}/api`, `${subject.url}/api`];
  if (own.includes(api)) return ok("Prefect's UI uses its own API");
  return warn(
    `Prefect sends its UI to ${api}; the gateway overrides that with its own address`,
    'Nothing to do behind the gateway. PREFECT_UI_API_URL on the Prefect server sets it.',
  );
}

/** With a path in public_url, UI requests are forwarded with that path. */
async function checkUiBase(subject: UpstreamSubject, { basePath }: Pick<PublicUrl, 'basePath'>): Promise<Verdict | readonly Verdict[]> {
  if (basePath === '') return [];
  const root = await ask(subject, '/ui-settings');
  if (!root.ok || jsonField(root.body, 'api_url') === undefined) return [];
  return fail(`Prefect serves its UI at /, but public_url has the path ${basePath}`, `Start Prefect with PREFECT_UI_SERVE_BASE=${basePath}.`);
}

function ask({ url, authorization, tls, probe }: UpstreamSubject, path: string): Promise<Probe> {
  return probe({ url: `${url}${path}`, headers: authorizationOf(authorization), tls });
}

/** The header with the gateway's credential. */
export function authorizationOf(authorization: string | null): Readonly<Record<string, string>> {
  return authorization === null ? {} : { authorization };
}

function comparison(operations: readonly Operation[], body: string) {
  try {
    return compareWithOpenApi(operations, parseJson(body));
  } catch {
    return undefined; // No OpenAPI document: the caller reports that.
  }
}
