// The start of a run as text: a person, an automation, a schedule, or another run and its own start.
import { chainWords } from '../contract/chain-words.ts';
import { initiatorOf, type Start } from '../record/timeline/start.ts';
import { printable } from './text.ts';

/** The first line names the start of the run. Each further line names the start of its parent. */
export function startLines(start: Start): readonly string[] {
  const lines = [firstLine(start), ...proof(start), ...parentLines(start)];
  return lines.map(printable);
}

function firstLine(start: Start): string {
  if (start.route === 'automation') return `started by the automation ${named(start)}${madeBy(start)}`;
  if (start.route === 'schedule') return `started by Prefect's own scheduler${start.by === null ? '' : `: schedule ${named(start)}`}`;
  if (start.evidence === 'none') return 'started by nobody that this gateway saw';
  const from = start.source_ip === null ? '' : ` from ${start.source_ip}`;
  const at = start.time === null ? '' : ` at ${start.time.slice(0, 19).replace('T', ' ')}Z`;
  const words = `started by ${start.principal === null ? 'nobody known' : chainWords([start.principal, ...start.on_behalf_of])}${from}${at}`;
  return start.request_id === null ? words : `${words}, request ${start.request_id}`;
}

/** The right that allowed the start. */
function proof({ action, idp, policies }: Start): readonly string[] {
  const parts = [action === null ? '' : action, policies.length === 0 ? '' : `by ${policies.join(', ')}`, idp === null ? '' : `identity provider ${idp}`];
  const words = parts.filter((part) => part !== '').join(', ');
  return words === '' ? [] : [`as ${words}`];
}

function parentLines({ parent }: Start): readonly string[] {
  if (parent === null) return [];
  const initiator = initiatorOf(parent.start);
  const behind = initiator === null ? wordsOfMaker(parent.start) : `which ${initiator} started`;
  return [`in the run ${parent.name ?? ''} ${parent.flow_run_id}${behind === '' ? '' : `, ${behind}`}`.replace('  ', ' ')];
}

function wordsOfMaker(start: Start): string {
  if (start.route === 'unknown') return start.parent === null ? '' : (parentLines(start)[0] ?? '');
  return start.route === 'schedule' || start.route === 'automation' ? `which was ${firstLine(start)}` : '';
}

function named({ by }: Start): string {
  if (by === null) return '(Prefect does not say which)';
  return by.name === null ? by.id : `${by.name} (${by.id})`;
}

function madeBy({ by }: Start): string {
  return by?.made_by == null ? '' : `, which ${by.made_by} made`;
}
