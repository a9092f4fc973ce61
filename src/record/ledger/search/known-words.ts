// The actions and reasons that records have, for suggestions: any other one is misspelt, or of an older Lictor.

import { nearestName } from '../../../config/suggest.ts';
import { DOCTOR_REQUESTS } from '../../../contract/doctor-records.ts';
import { REASONS } from '../../../contract/reasons.ts';
import { collectActions } from '../../../prefect/catalog/actions.ts';
import { OPERATIONS } from '../../../prefect/catalog/catalogue.ts';
import { GATEWAY_ACTIONS } from '../events.ts';

/** Actions of Lictor itself. A test finds actions in the code that this list lacks. */
const OWN_ACTIONS = [
  ...Object.values(GATEWAY_ACTIONS),
  ...[
    'account.add',
    'account.break_glass',
    'account.confirm',
    'account.passwd',
    'account.remove',
    'approval.approve',
    'approval.deny',
    'authorize.allow',
    'authorize.refuse',
    'config.reload',
    'device.allow',
    'device.refuse',
    DOCTOR_REQUESTS,
    'events.stored',
  ],
  ...['gateway.disk_low', 'identity.forget', 'keys.rotate', 'ledger.export_gap', 'ledger.rotate_key', 'lock.create', 'lock.remove'],
  ...['observe.enforce', 'observe.resume', 'policy.apply'],
  ...['requests.probes', 'requests.summary', 'run_token.mint', 'run_token.orphan', 'service.purge'],
  ...['scim.groups.create', 'scim.groups.delete', 'scim.groups.replace', 'scim.groups.update', 'scim.refused'],
  ...['scim.users.create', 'scim.users.delete', 'scim.users.replace', 'scim.users.update'],
  ...['session.backchannel_logout', 'session.end', 'session.login', 'session.logout', 'session.refresh', 'socket.close'],
  ...['token.code', 'token.confirm', 'token.create', 'token.device', 'token.exchange', 'token.refresh', 'token.revoke', 'token.rotate'],
  ...['upstream.rotate', 'upstream.rotate_abort', 'upstream.rotate_begin'],
];

/** Reasons that are no denial. The denials are in docs/reference/errors.md. */
const OWN_REASONS = [
  ...['anonymous-requests', 'certificate-renewed', 'config-applied', 'config-refused', 'disk-space-low', 'policies-applied', 'policies-refused'],
  ...['refused-requests', 'run-token-not-injectable'],
];

export function knownActions(): readonly string[] {
  return [...collectActions(OPERATIONS).map(({ name }) => name), ...OWN_ACTIONS];
}

export function knownReasons(): readonly string[] {
  return [...Object.keys(REASONS), ...OWN_REASONS];
}

/** Suggestions. Empty where both are known, or similar to none. */
export function didYouMean({ action, reason }: { readonly action?: string | undefined; readonly reason?: string | undefined }): readonly string[] {
  const asked = [
    { given: action, near: action === undefined ? undefined : nearAction(action) },
    { given: reason, near: reason === undefined ? undefined : nearReason(reason) },
  ];
  return asked.flatMap(({ given, near }) => (near === undefined ? [] : [`${given} is in no record of this Lictor: did you mean ${near}?`]));
}

function nearReason(reason: string): string | undefined {
  const known = knownReasons();
  return known.includes(reason) ? undefined : nearestName(reason, known);
}

/** An action, or all actions of a noun: `deployments.*`, `deployments.run.*`. A noun alone gets its star. */
function nearAction(action: string): string | undefined {
  const known = knownActions();
  const nouns = [...new Set(known.flatMap(nounsOf))];
  const noun = action.endsWith('.*') ? action.slice(0, -2) : undefined;
  if (noun === undefined ? known.includes(action) : nouns.includes(noun)) return undefined;
  const nearNoun = nearestName(noun ?? action, nouns);
  const star = nearNoun === undefined ? undefined : `${nearNoun}.*`;
  return noun === undefined ? (nearestName(action, known) ?? star) : star;
}

function nounsOf(action: string): readonly string[] {
  const parts = action.split('.');
  return parts.slice(1).map((_part, index) => parts.slice(0, index + 1).join('.'));
}
