// The initiators of a flow run, as the run itself names them: Prefect's fields for schedules and automations, Lictor's labels for principals.

import { field, type JsonObject } from '../../contract/json/tree.ts';
import { runOfPrincipal } from '../../contract/run-token.ts';

export const CREATOR_LABEL = 'lictor.principal';
export const ON_BEHALF_OF_LABEL = 'lictor.on_behalf_of';

const LONGEST_CHAIN = 20;

/** `schedule:ID`, `automation:ID`, or the principal; then the principals that it acted for, nearest first. Empty: unknown. */
export function initiatorsOf(run: JsonObject): readonly string[] {
  const own = prefectInitiator(run);
  if (own !== undefined) return [own];
  const labels = field(run, 'labels');
  const creator = field(labels, CREATOR_LABEL);
  if (typeof creator !== 'string') return [];
  return [creator, ...chainFromLabel(field(labels, ON_BEHALF_OF_LABEL))].slice(0, LONGEST_CHAIN);
}

/** The flow run that started this run, by Lictor's label. */
export function startingRun(run: JsonObject): string | null {
  return runOfPrincipal(initiatorsOf(run)[0]);
}

/** Names of principals may contain a comma. */
export function chainToLabel(chain: readonly string[]): string {
  return chain
    .slice(0, LONGEST_CHAIN)
    .map((id) => id.replaceAll('%', '%25').replaceAll(',', '%2C'))
    .join(',');
}

export function chainFromLabel(label: unknown): readonly string[] {
  if (typeof label !== 'string' || label === '') return [];
  return label.split(',').map((id) => id.replaceAll('%2C', ',').replaceAll('%25', '%'));
}

/** Runs that Prefect starts carry only the labels of their deployment. Clients cannot set `created_by` through the gateway. */
function prefectInitiator(run: JsonObject): string | undefined {
  const by = field(run, 'created_by');
  const [type, id] = [field(by, 'type'), field(by, 'id')];
  if (type === 'SCHEDULE' || type === 'AUTOMATION') return `${type.toLowerCase()}:${typeof id === 'string' ? id : 'unknown'}`;
  return field(run, 'auto_scheduled') === true ? 'schedule:unknown' : undefined;
}
