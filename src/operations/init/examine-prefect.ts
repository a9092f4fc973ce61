// Prefect as init finds it: its address, version, credential, messaging, pools and tags. The probes are those of lictor doctor.
import { lookup } from 'node:dns/promises';
import { trustedAuthorities } from '../../config/authorities.ts';
import type { PublicUrl } from '../../config/config.ts';
import type { Environment } from '../../config/load.ts';
import { parsePlainUrl } from '../../config/sections/public-url.ts';
import { isOlder } from '../../contract/release.ts';
import { operationsOf, SUPPORTED } from '../../prefect/catalog/versions.ts';
import { fail, ok, type Verdict, warn } from '../doctor/finding.ts';
import { isHtml, jsonField, type Probe, type ProbeAnswer, parseJson, probe, serverWords } from '../doctor/outside/http-probe.ts';
import { itemsOf } from '../doctor/outside/lists.ts';
import { addressesOf, checkOtherAddresses } from '../doctor/outside/other-addresses.ts';
import { upstreamTrust } from '../doctor/outside/trust.ts';
import { authorizationOf, checkBackDoor, checkCredential, checkHoles, checkRoutes, checkUiTarget, type UpstreamSubject } from '../doctor/outside/upstream.ts';
import { LOCAL_URLS } from './client-settings.ts';
import { failed, type Seen, sorted } from './seen.ts';

export interface PrefectQuestion {
  /** As they were typed; with `/api` or without. */
  readonly urls: readonly string[];
  readonly authString: string | null;
  readonly caFile: string | null;
  readonly publicUrl: Pick<PublicUrl, 'origin' | 'basePath'> | undefined;
  readonly env: Environment;
}

export interface PrefectSeen extends Seen {
  /** Without path. */
  readonly servers: readonly string[];
  readonly needsAuthString: boolean;
  /** It answers requests without a credential. */
  readonly isOpen: boolean;
  readonly pools: readonly string[];
  readonly tags: readonly string[];
}

const NOTHING = { pools: [], tags: [], later: [], isOpen: false } as const;

/** Never rejects. */
export async function examinePrefect(question: PrefectQuestion): Promise<PrefectSeen> {
  const servers = question.urls.map((url) => url.replace(/\/+$/, '').replace(/\/api$/, ''));
  const shape = servers.flatMap(shapeProblem);
  if (shape.length > 0) return { ...NOTHING, servers, needsAuthString: false, now: shape };
  const found = await Promise.all(servers.map((url) => examineServer(url, question)));
  const needsAuthString = found.some(({ refused }) => refused);
  const now = found.flatMap((each) => each.now).map(inAnswers);
  const origins = servers.map((url) => new URL(url).origin);
  if (failed({ now })) return { ...NOTHING, servers: origins, needsAuthString, now };
  const subjects = origins.map((url) => subjectOf(url, question));
  const [messaging, listed] = await Promise.all([checkMessaging(subjects), list(subjects)]);
  const { pools, tags, verdict } = listed;
  const later = found.flatMap((each) => each.later);
  return { servers: origins, needsAuthString, isOpen: failed({ now: later }), now: [...now, ...messaging, verdict], later, pools, tags };
}

/** The first of these that answers as Prefect does. */
export async function findPrefect(urls: readonly string[]): Promise<string | undefined> {
  const answers = await Promise.all(urls.map((url) => probe({ url: `${url}/api/admin/version` })));
  return urls.find((_, index) => answers[index]?.ok === true && isPrefect(answers[index]));
}

function shapeProblem(url: string): readonly Verdict[] {
  const parts = parsePlainUrl(url);
  if (parts === undefined) return [fail(`${JSON.stringify(url)} is no address of a server`, 'Write prefect_url as http://127.0.0.1:4200.')];
  if (!/(?:^|\.)prefect\.cloud$/.test(parts.hostname)) return [];
  return [fail(`${url} is Prefect Cloud`, 'Lictor is for your own Prefect servers. Prefect Cloud has users and roles itself.')];
}

function subjectOf(url: string, { authString, caFile, env }: PrefectQuestion): UpstreamSubject {
  const authorization = authString === null ? null : `Basic ${Buffer.from(authString).toString('base64')}`;
  return { url, authorization, tls: upstreamTrust(trustedAuthorities(env), caFile), probe };
}

interface ServerSeen extends Seen {
  readonly refused: boolean;
}

async function examineServer(url: string, question: PrefectQuestion): Promise<ServerSeen> {
  const { origin, pathname } = new URL(url);
  const subject = subjectOf(origin, question);
  const [answer, below] = await Promise.all([versionAt(subject, ''), pathname === '/' ? undefined : versionAt(subject, pathname)]);
  const misplaced = placeProblem({ origin, pathname, answer, below });
  if (misplaced !== undefined) return { now: [misplaced], later: [], refused: false };
  const credential = await checkCredential(subject);
  const refused = answer.ok && answer.status === 401;
  const elsewhere = answer.ok ? [] : await otherPort(origin);
  if (failed({ now: credential })) return { now: [...credential, ...elsewhere], later: [], refused };
  const version = answer.ok ? parseJson(answer.body) : undefined;
  const [holes, ui, bypass, addresses] = await Promise.all([
    checkHoles(subject),
    question.publicUrl === undefined ? [] : checkUiTarget(subject, question.publicUrl),
    checkBackDoor(subject),
    checkOtherAddresses(subject, addressesOf()),
  ]);
  // The OpenAPI document keeps Prefect busy for seconds, so it is last.
  const routes = await checkRoutes(subject, operationsOf);
  const { now, later } = sorted([...credential, ...supported(version), ...[routes].flat(), ...holes, ...[ui].flat(), ...uiPath(pathname, question)]);
  return { now, later: [...later, ...[...bypass, ...addresses].filter(({ status }) => status !== 'ok')], refused };
}

function versionAt({ url, authorization, tls }: UpstreamSubject, path: string): Promise<Probe> {
  return probe({ url: `${url}${path}/api/admin/version`, headers: authorizationOf(authorization), tls });
}

interface Place {
  readonly origin: string;
  readonly pathname: string;
  readonly answer: Probe;
  readonly below: Probe | undefined;
}

/** Something else than Prefect answers, or Prefect answers below a path. */
function placeProblem({ origin, pathname, answer, below }: Place): Verdict | undefined {
  if (below?.ok === true && isPrefect(below) && !(answer.ok && isPrefect(answer)))
    return fail(
      `Prefect's API is below a path: ${origin}${pathname}/api`,
      "Lictor forwards to /api: give Prefect's own address behind the proxy that adds the path, and unset PREFECT_SERVER_API_BASE_PATH.",
    );
  if (!answer.ok) return undefined;
  const { status, headers, body } = answer;
  if (status >= 300 && status < 400) {
    const to = headers['location'] ?? 'another address';
    const circle = URL.parse(to, origin)?.href === `${origin}/api/admin/version` ? ', which is the same address: a redirect loop' : '';
    return fail(
      `${origin}/api/admin/version redirects to ${to}${circle}${serverWords(answer)}`,
      'A proxy stands before Prefect. Give the address of Prefect itself, behind that proxy.',
    );
  }
  if (typeof jsonField(body, 'code') === 'string' && typeof jsonField(body, 'request_id') === 'string')
    return fail(`${origin} is a Lictor gateway, not Prefect`, 'Give the address that is in prefect.url of that gateway.');
  if (status === 401 && !isPrefect(answer))
    return fail(
      `${origin} asks for a login (401), and not as Prefect does: a proxy stands before Prefect${serverWords(answer)}`,
      'Give the address of Prefect itself, behind that proxy.',
    );
  return undefined;
}

/** Prefect's version, or its rejection of a request without auth string. */
function isPrefect(answer: ProbeAnswer): boolean {
  if (isHtml(answer)) return false;
  if (answer.status === 401) return jsonField(answer.body, 'exception_message') !== undefined;
  return answer.status === 200 && typeof parseJson(answer.body) === 'string';
}

async function otherPort(origin: string): Promise<readonly Verdict[]> {
  const { protocol, hostname } = new URL(origin);
  const found = await findPrefect([...new Set([`${protocol}//${hostname}:4200`, ...LOCAL_URLS])].filter((url) => url !== origin));
  return found === undefined ? [] : [warn(`Prefect answers at ${found}`, `Write prefect_url: ${found}, if that is the server.`)];
}

function supported(version: unknown): readonly Verdict[] {
  if (typeof version !== 'string' || isOlder(version, SUPPORTED.oldest) !== true) return [];
  return [fail(`Prefect ${version} is older than ${SUPPORTED.oldest}`, 'Upgrade Prefect to a newer 3.x release first.')];
}

/** The UI below a path needs the same path in public_url. */
function uiPath(pathname: string, { publicUrl }: PrefectQuestion): readonly Verdict[] {
  if (pathname === '/' || publicUrl === undefined || publicUrl.basePath === pathname) return [];
  return [
    warn(
      `prefect_url has the path ${pathname}, and public_url has ${publicUrl.basePath === '' ? 'none' : publicUrl.basePath}`,
      `Write public_url with the path ${pathname}, or start Prefect without PREFECT_UI_SERVE_BASE: docs/how-to/path-prefix.md.`,
    ),
  ];
}

/** In-memory messaging does not pass events between servers. */
async function checkMessaging(subjects: readonly UpstreamSubject[]): Promise<readonly Verdict[]> {
  const [first] = subjects;
  if (first === undefined) return [];
  const count = Math.max(subjects.length, await addressCount(new URL(first.url).hostname));
  const answer = await first.probe({ url: `${first.url}/api/admin/settings`, headers: authorizationOf(first.authorization), tls: first.tls });
  const broker = answer.ok ? brokerOf(parseJson(answer.body)) : undefined;
  if (broker === undefined) return [];
  if (count < 2) return [ok(`Prefect passes events ${broker.endsWith('.memory') ? 'in memory, so it must stay one server' : `by ${broker}`}`)];
  if (!broker.endsWith('.memory')) return [ok(`${count} servers share events by ${broker}`)];
  return [
    fail(
      `${count} Prefect servers use in-memory messaging: events of one never reach the other`,
      'Give all of them Redis first, or name one server: docs/how-to/existing-server.md, "Run two API servers".',
    ),
  ];
}

function brokerOf(settings: unknown): string | undefined {
  const value = ['server', 'events', 'messaging_broker'].reduce<unknown>((inner, key) => field(inner, key), settings);
  return typeof value === 'string' ? value : undefined;
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined;
}

/** Addresses of one family: `localhost` has ::1 too. */
async function addressCount(hostname: string): Promise<number> {
  const addresses = await lookup(hostname.replace(/^\[|\]$/g, ''), { all: true, family: 4 }).catch(() => []);
  return new Set(addresses.map(({ address }) => address)).size;
}

interface Listed {
  readonly pools: readonly string[];
  readonly tags: readonly string[];
  readonly verdict: Verdict;
}

const MOST = 50;

async function list(subjects: readonly UpstreamSubject[]): Promise<Listed> {
  const [subject] = subjects;
  if (subject === undefined) return { pools: [], tags: [], verdict: ok('no server') };
  const [pools = [], deployments = []] = await Promise.all([
    itemsOf(subject, '/api/work_pools/filter', { limit: MOST }),
    itemsOf(subject, '/api/deployments/filter', { limit: 200 }),
  ]);
  const names = pools.map((pool) => field(pool, 'name')).filter((name) => typeof name === 'string');
  const online = await Promise.all(
    names.map((name) =>
      itemsOf(subject, `/api/work_pools/${encodeURIComponent(name)}/workers/filter`, { workers: { status: { any_: ['ONLINE'] } }, limit: 200 }),
    ),
  );
  const workers = online.reduce((sum, found) => sum + (found?.length ?? 0), 0);
  const tags = [...new Set(deployments.flatMap((item) => [field(item, 'tags')].flat()).filter((tag) => typeof tag === 'string'))].sort();
  const verdict = ok(`Prefect has ${names.length} work pools, ${workers} online workers and the tags ${tags.slice(0, 8).join(', ') || '(none)'}`);
  return { pools: names, tags, verdict };
}

/** The keys of the answers, not those of lictor.yaml. */
function inAnswers(verdict: Verdict): Verdict {
  const words = (text: string): string =>
    text
      .replaceAll('prefect.auth_string_file', 'auth_string_file')
      .replaceAll('prefect.ca_file', 'prefect_ca_file')
      .replaceAll('prefect.url', 'prefect_url')
      .replace(', then kill -HUP the gateway', ', then run lictor init again');
  return { ...verdict, message: words(verdict.message), remedy: verdict.remedy === null ? null : words(verdict.remedy) };
}
