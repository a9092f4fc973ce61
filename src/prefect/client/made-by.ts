// Who has started a flow run, and for whom, as the run itself tells: Prefect's own word for schedules and automations, the gateway's labels for everybody else.

import { field, isObject, type JsonObject } from '../../contract/json/tree.ts';
import { runOfPrincipal } from '../../contract/run-token.ts';

export const MAKER_LABEL = 'lictor.principal';
export const ON_BEHALF_OF_LABEL = 'lictor.on_behalf_of';

/** Where chains end, at the latest. */
const LONGEST_CHAIN = 20;

/** `schedule:ID`, `automation:ID`, or the principal; then those that it acted for, nearest first. Empty: not known here. */
export function initiatorsOf(run: JsonObject): readonly string[] {
  const own = byPrefectItself(run);
  if (own !== undefined) return [own];
  const labels = field(run, 'labels');
  const maker = field(labels, MAKER_LABEL);
  if (!isObject(labels) || typeof maker !== 'string') return [];
  return [maker, ...chainFromLabel(field(labels, ON_BEHALF_OF_LABEL))].slice(0, LONGEST_CHAIN);
}

/** The flow run that has started it, by the gateway's label. */
export function runThatMade(run: JsonObject): string | null {
  return runOfPrincipal(initiatorsOf(run)[0]);
}

/** Principals' names may hold a comma. */
export function chainToLabel(chain: readonly string[]): string {
  return chain
    .slice(0, LONGEST_CHAIN)
    .map((id) => id.replaceAll('%', '%25').replaceAll(',', '%2C'))
    .join(',');
}

function chainFromLabel(label: unknown): readonly string[] {
  if (typeof label !== 'string' || label === '') return [];
  return label.split(',').map((id) => id.replaceAll('%2C', ',').replaceAll('%25', '%'));
}

/** Such runs carry the labels of their deployment, which say nothing about them. Clients cannot set `created_by` through the gateway. */
function byPrefectItself(run: JsonObject): string | undefined {
  const by = field(run, 'created_by');
  const [type, id] = isObject(by) ? [field(by, 'type'), field(by, 'id')] : [undefined, undefined];
  if (type === 'SCHEDULE' || type === 'AUTOMATION') return `${type.toLowerCase()}:${typeof id === 'string' ? id : 'unknown'}`;
  return field(run, 'auto_scheduled') === true ? 'schedule:unknown' : undefined;
}
