// Which names that begin with `prefect.` a principal may use: what Prefect's own clients report, by kind of principal.
//
// Everything else below `prefect.` is said by Prefect's server (states of flow runs, automations, deployments, pools, queues):
// its recorder and people's automations take it for the truth. `lictor.` is the gateway's own.
import type { PrincipalKind } from '../../contract/principal.ts';

/** What code that runs flows and tasks reports (3.6 to 3.9). A task run's event ends in the state's name, which authors choose. */
const OF_RUNS: readonly RegExp[] = [
  /^prefect\.task-run\./,
  /^prefect\.flow-run\.heartbeat$/,
  /^prefect\.flow-run\.pull-step\.(?:executed|failed)$/,
  /^prefect\.artifact\.(?:created|updated)$/,
  /^prefect\.asset\.(?:referenced|observed|materialization\.[a-z]+)$/,
  /^prefect\.concurrency-limit\.(?:v1\.)?(?:acquired|released)$/,
  /^prefect\.block\.[\w-]+\./,
];

/** Beside them: worker, runner and the integrations that watch their infrastructure; `prefect transfer`. */
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

/** A name outside `prefect.` and `lictor.` is anybody's. Case, invisible letters and those of other alphabets are no way round: people read names with their eyes. */
export function mayName(kind: PrincipalKind, name: string): boolean {
  if (looksLikeGateway(name)) return false;
  return !readsLike(name, 'prefect.') || BY_KIND[kind].some((pattern) => pattern.test(name));
}

/** Of a name, or of what an event is about: on a run's page it would look like a word of the gateway. */
export function looksLikeGateway(text: string): boolean {
  // Nearly all of an event's labels begin so, and no letter of that looks like an L.
  if (text.startsWith('prefect.')) return false;
  const seen = skeleton(text);
  return seen.startsWith(GATEWAY) && !/^[\p{L}\p{N}]/u.test(seen.slice(GATEWAY.length));
}

function readsLike(text: string, start: string): boolean {
  return skeleton(text).startsWith(skeleton(start));
}

/** What cannot be told apart on a screen, each group by its first letter (after Unicode's confusables, for the letters of two words). */
const ALIKE: readonly string[] = ['liı1|!ɩɪιіӏǀ', 'cсϲᴄ', 'tтτᴛ', 'o0оοσᴏ', 'rгʀ', 'pрρᴘ', 'eеεҽ', 'fғ'];
const FIRST: ReadonlyMap<string, string> = new Map(ALIKE.flatMap((group) => [...group].map((letter) => [letter, group.slice(0, 1)] as const)));

/** Without accents, and what is not seen: controls, formats, blanks. */
function skeleton(text: string): string {
  const visible = text
    .normalize('NFKD')
    .replaceAll(/[\p{M}\p{C}\p{Z}]/gu, '')
    .toLowerCase();
  return [...visible].map((letter) => FIRST.get(letter) ?? letter).join('');
}

const GATEWAY = skeleton('lictor');
