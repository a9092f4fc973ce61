// The output of `lictor migrate workers`.
import type { Config } from '../config/config.ts';
import { isLoopback } from '../config/sections/public-url.ts';
import { isoTime, minuteOf } from '../contract/time-text.ts';
import type { Finding } from '../operations/doctor/finding.ts';
import { type ComparedWorker, counted, type Way } from '../operations/doctor/outside/compare-workers.ts';
import { baseOf } from '../operations/doctor/outside/door.ts';
import { originsAt } from '../operations/doctor/outside/other-addresses.ts';
import type { Rule } from '../operations/migrate/network-rules.ts';
import { KINDS, type Kind, setupLines } from '../operations/migrate/setup-lines.ts';
import type { Survey } from '../operations/migrate/survey.ts';
import { renderFindings } from './doctor-text.ts';
import type { WorkerToken } from './migrate-tokens.ts';
import { lookOf, renderTable, type Terminal } from './table.ts';
import { printable, quantity } from './text.ts';

const WORDS: Readonly<Record<Way, string>> = {
  gateway: 'gateway',
  direct: 'direct',
  both: 'gateway and direct',
  'shared-password': "gateway, with Prefect's auth string",
  unclear: 'unclear',
  renamed: 'renamed',
};

/** What to do about each way that is not obvious. */
const REMEDIES: Readonly<Partial<Record<Way, string>>> = {
  both: 'Two processes use this name, or the worker was moved twice. Stop the one that connects directly, and give each worker its own name.',
  'shared-password': 'Observe mode accepts it; enforcement and a new auth string do not. Restart it with its own token (--tokens).',
  unclear:
    'It sends heartbeats over HTTP with a shared token, so another worker may have sent them. Give it its own token (--tokens), or Prefect 3.7.2 or later.',
};

/** Lists are cut after so many lines. */
const MOST = 20;

export function renderSurvey(survey: Survey, terminal: Terminal): string {
  const { workers, offline, denied, directRuns } = survey;
  if (workers.length === 0) return `No worker is online in Prefect.\n${offlineText(survey, terminal)}`;
  const rows = workers.map((worker) => [worker.name, worker.pool, worker.type, wayWords(worker)]);
  return [
    `${countWords(survey)}\n\n${renderTable([['WORKER', 'POOL', 'TYPE', 'USES'], ...rows], terminal)}`,
    ...remedyTexts(workers),
    denied.length === 0 ? '' : deniedText(survey),
    directRuns.length === 0 ? '' : runsText(survey),
    offline.length === 0 ? '' : offlineText(survey, terminal),
  ]
    .filter((text) => text !== '')
    .join('\n');
}

/** `7 of 9 through the gateway`. */
export function countWords({ through, of, workers, directRuns }: Survey): string {
  const count = (...ways: readonly Way[]): number => counted(workers).filter(({ way }) => ways.includes(way)).length;
  const [others, shared] = [count('both', 'unclear'), count('shared-password')];
  const unsure = others === 0 ? '' : `; ${others} not certain`;
  const password = shared === 0 ? '' : `; ${shared} with Prefect's auth string`;
  const runs = through === of && directRuns.length > 0 ? `; ${quantity(directRuns.length, 'run')} not moved` : '';
  return `${through} of ${of} through the gateway${password}${unsure}${runs}`;
}

/** One line: what the command waits for. */
export function waitingFor(survey: Survey): string {
  const names = counted(survey.workers)
    .filter(({ way }) => way !== 'gateway')
    .map(({ name }) => printable(name));
  const rest = names.length > 3 ? ` and ${names.length - 3} more` : '';
  return `${countWords(survey)}. Waiting for ${names.length === 0 ? lastOf(survey) : `${names.slice(0, 3).join(', ')}${rest}`} (Ctrl-C ends this)`;
}

function lastOf({ directRuns, secondsLeft }: Survey): string {
  return directRuns.length > 0 ? 'these runs to end' : `heartbeats of processes that are left: ${secondsLeft} s`;
}

export function renderSecondsLeft({ secondsLeft }: Survey): string {
  return `\nA process that is left under the name of a moved worker sends a heartbeat within 30 seconds. Run this again in ${secondsLeft} s: all workers must still count.\n`;
}

function wayWords({ way, newName }: ComparedWorker): string {
  return way === 'renamed' ? `gateway, now as ${newName}; not counted` : WORDS[way];
}

function remedyTexts(workers: readonly ComparedWorker[]): readonly string[] {
  return [...new Set(workers.map(({ way }) => way))].flatMap((way) => {
    const remedy = REMEDIES[way];
    return remedy === undefined ? [] : [`${WORDS[way]}: ${remedy}\n`];
  });
}

function deniedText({ denied }: Survey): string {
  const lines = denied
    .slice(0, MOST)
    .map(
      ({ pool, principal, reason, count }) =>
        `  ${printable(`${principal ?? 'without a valid credential'}, pool ${pool}: ${reason}, ${quantity(count, 'request')}`)}\n`,
    );
  return `Denied workers in the last 10 minutes. A worker needs the role worker on its pool; lictor audit --action worker.* --decision deny has more:\n${lines.join('')}`;
}

function runsText({ directRuns }: Survey): string {
  const lines = directRuns
    .slice(0, MOST)
    .map(({ name, id, pool }) => `  ${printable(`${name} (${id})${pool === null ? ', in no pool' : `, pool ${pool}`}`)}\n`);
  const rest = directRuns.length > MOST ? `  and ${directRuns.length - MOST} more\n` : '';
  return `Runs that use Prefect directly, or its auth string at the gateway. Let them end before you close the direct way. Cancel one whose process is gone:\n${lines.join('')}${rest}`;
}

function offlineText({ offline }: Survey, terminal: Terminal): string {
  if (offline.length === 0) return '';
  const newest = offline.toSorted((a, b) => (b.beatMs ?? 0) - (a.beatMs ?? 0)).slice(0, MOST);
  const rows = newest.map(({ name, pool, beatMs }) => [name, pool, beatMs === null ? 'never' : `${minuteOf(beatMs)} UTC`]);
  const rest = offline.length > MOST ? `and ${offline.length - MOST} more\n` : '';
  return `Offline, not counted. Start those in use with the new variables; delete the others on the page of their pool in Prefect:\n\n${renderTable([['WORKER', 'POOL', 'LAST HEARTBEAT'], ...rows], terminal)}${rest}`;
}

export interface Setup {
  readonly tokens: readonly WorkerToken[];
  readonly lines: Kind | undefined;
  readonly directory: string | undefined;
  readonly config: Pick<Config, 'publicUrl' | 'tls'>;
}

/** The lines to paste. They name files and hold no secret. */
export function renderSetup({ tokens, lines, directory, config }: Setup): string {
  if (tokens.length === 0) return '';
  const kinds = lines === undefined ? KINDS : [lines];
  const apiUrl = `${baseOf(config.publicUrl)}/api`;
  const blocks = tokens.slice(0, MOST).map((token) => {
    const texts = kinds.map((kind) => `  ${kind}:\n${indented(safe(setupLines(kind, token, { file: token.file, tokenName: token.token, apiUrl })))}`);
    return `\n${printable(`${token.name} of pool ${token.pool}`)}: ${stateWords(token)}\n${texts.join('')}`;
  });
  const first = directory === undefined ? '\nAdd --tokens DIR: it creates a token for each of these workers, in a file of mode 600.\n' : '';
  const rest = tokens.length > MOST ? `\nand ${tokens.length - MOST} more: --worker NAME prints the lines of one, --json the files of all\n` : '';
  return `${first}${blocks.join('')}${rest}\nA process worker ends its runs when it ends: pause its pool, wait for its runs, restart it, resume the pool (docs/how-to/move-workers.md).\n`;
}

function stateWords({ state, token, file }: WorkerToken): string {
  if (state === 'created') return `token ${token} is new, its secret is in ${file}`;
  if (state === 'there') return `token ${token} is in ${file} already`;
  if (state === 'lost') return `token ${token} exists, and ${file} does not: lictor token revoke ${token}, then run this again`;
  return `its token is ${token}, which --tokens creates unless it is there`;
}

/** Names of workers and pools come from Prefect. */
function safe(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '    ');
}

export interface Rules {
  readonly rules: readonly Rule[];
  readonly findings: readonly Finding[];
  readonly servers: readonly string[];
  /** Of this machine, for others. */
  readonly addresses: readonly string[];
  readonly config: Pick<Config, 'publicUrl' | 'tls'>;
}

/** Commands for other machines: from this one, the way to Prefect stays open. */
export function renderRules({ rules, findings, servers, addresses, config }: Rules, terminal: Terminal): string {
  const texts = rules.map(({ title, text }) => `\n${title}\n\n${indented(text)}`);
  const probes = servers.flatMap((url) => asOthersSee(url, addresses)).map((origin) => `    curl --max-time 5 '${origin}/api/health'\n`);
  const authority = config.tls?.selfMadeBy == null ? '' : `--cacert ${config.tls.selfMadeBy} `;
  return `\nAll workers have moved. Close the direct way now with one of these rules, then run lictor doctor (docs/how-to/network-rules.md).
${texts.join('')}
What this machine finds now:

${renderFindings(findings, lookOf(terminal)).join('\n')}

Run this on the machine of a worker. It must fail:

${probes.join('')}
This must print {"status":"ok"}${authority === '' ? '' : '. Copy the file of --cacert to that machine first'}:

    curl --max-time 5 ${authority}${baseOf(config.publicUrl)}/.lictor/health
`;
}

/** A Prefect on loopback is on this machine: others see it at the machine's addresses. */
function asOthersSee(url: string, addresses: readonly string[]): readonly string[] {
  const { hostname, origin } = new URL(url);
  return isLoopback(hostname) ? originsAt(url, addresses.length === 0 ? ['GATEWAY'] : addresses) : [origin];
}

export function surveyJson({ workers, offline, denied, directRuns, through, of, secondsLeft }: Survey): Readonly<Record<string, unknown>> {
  return {
    ...{ through, of, seconds_left: secondsLeft },
    workers: workers.map(({ pool, name, type, way, newName, beatMs }) => ({
      pool,
      name,
      type,
      uses: way,
      new_name: newName,
      last_heartbeat_at: isoTime(beatMs),
    })),
    offline: offline.map(({ pool, name, type, beatMs }) => ({ pool, name, type, last_heartbeat_at: isoTime(beatMs) })),
    ...{ denied, direct_runs: directRuns },
  };
}
