// The names that begin with `prefect.` and that a kind of principal may send: those that Prefect's own clients report.
//
// Only Prefect's server sends the other names below `prefect.` (states of flow runs, automations, deployments, pools, queues). Its recorder and
// users' automations trust them. Only Lictor sends names below `lictor.`.
import type { PrincipalKind } from '../../contract/principal.ts';

/** Events of the code that runs flows and tasks (3.6 to 3.9). A task run's event ends with the name of its state, which authors choose. */
const OF_RUNS: readonly RegExp[] = [
  /^prefect\.task-run\./,
  /^prefect\.flow-run\.heartbeat$/,
  /^prefect\.flow-run\.pull-step\.(?:executed|failed)$/,
  /^prefect\.artifact\.(?:created|updated)$/,
  /^prefect\.asset\.(?:referenced|observed|materialization\.[a-z]+)$/,
  /^prefect\.concurrency-limit\.(?:v1\.)?(?:acquired|released)$/,
  /^prefect\.block\.[\w-]+\./,
];

/** Also events of workers, runners, integrations that watch infrastructure, and `prefect transfer`. */
const OF_MACHINES: readonly RegExp[] = [
  ...OF_RUNS,
  /^prefect\.worker\.(?:started|stopped|submitted-flow-run|executed-flow-run)$/,
  /^prefect\.runner\.[a-z-]+$/,
  /^prefect\.(?:kubernetes\.pod|docker\.container|ecs\.task|armada\.job)\.[\w-]+$/,
  /^prefect\.workspace\.transfer\.(?:started|completed)$/,
];

const BY_KIND: Readonly<Record<PrincipalKind, readonly RegExp[]>> = {
  run: OF_RUNS,
  worker: OF_MACHINES,
  service: OF_MACHINES,
  user: OF_MACHINES,
  agent: [],
};

/** Any principal may send a name outside `prefect.` and `lictor.`. Names that only look different by case, invisible or foreign letters count as the same. */
export function mayName(kind: PrincipalKind, name: string): boolean {
  if (looksLikeGateway(name)) return false;
  return !readsLike(name, 'prefect.') || BY_KIND[kind].some((pattern) => pattern.test(name));
}

/** For the name or a resource of an event: on a run's page it would look like an event of Lictor. */
export function looksLikeGateway(text: string): boolean {
  // Nearly all labels of an event begin so, and none of its letters looks like an L.
  if (text.startsWith('prefect.')) return false;
  const seen = skeleton(text);
  return seen.startsWith(GATEWAY) && !/^[\p{L}\p{N}]/u.test(seen.slice(GATEWAY.length));
}

function readsLike(text: string, start: string): boolean {
  return skeleton(text).startsWith(skeleton(start));
}

/** Letters that look alike, from Unicode's confusables, for the letters of the two words. The first letter represents its group. */
const ALIKE: readonly string[] = ['liı1|!ɩɪιіӏǀ', 'cсϲᴄ', 'tтτᴛ', 'o0оοσᴏ', 'rгʀ', 'pрρᴘ', 'eеεҽ', 'fғ'];
const FIRST: ReadonlyMap<string, string> = new Map(ALIKE.flatMap((group) => [...group].map((letter) => [letter, group.slice(0, 1)] as const)));

/** Removes accents and invisible characters: controls, formats, blanks. */
function skeleton(text: string): string {
  const visible = text
    .normalize('NFKD')
    .replaceAll(/[\p{M}\p{C}\p{Z}]/gu, '')
    .toLowerCase();
  return [...visible].map((letter) => FIRST.get(letter) ?? letter).join('');
}

const GATEWAY = skeleton('lictor');
