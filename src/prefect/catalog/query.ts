// Query parameters that decide: which action a request is when its query carries a right.

import type { ActionName, Operation } from '../../contract/operation.ts';

/** The right that `include_secrets` asks for, instead of the operation's own. */
export const READ_SECRETS: ActionName = 'blocks.read_secrets';

/**
 * The action of a request, given its raw query (no `?`).
 * `query-invalid` when a deciding name is repeated or percent-encoded, or its value is encoded or not one that Prefect takes:
 * the server decodes names and values, and would take `include%5Fsecrets=%74rue`. Other names and values are not looked at.
 */
export function actionFor(operation: Operation, rawQuery: string): ActionName | 'query-invalid' {
  if (operation.decidingQuery.length === 0 || rawQuery === '') return operation.action;
  const values = decidingValues(operation.decidingQuery, rawQuery);
  if (values === undefined) return 'query-invalid';
  for (const [name, value] of values) {
    if (!isPlain(name, value)) return 'query-invalid';
  }
  return isTrue(values.get('include_secrets')) ? READ_SECRETS : operation.action;
}

/** The raw value of each deciding parameter in the query; undefined when one is repeated, or its name percent-encoded. */
export function decidingValues(names: readonly string[], rawQuery: string): ReadonlyMap<string, string> | undefined {
  const values = new Map<string, string>();
  for (const pair of rawQuery.split('&')) {
    const at = pair.indexOf('=');
    const name = at === -1 ? pair : pair.slice(0, at);
    if (hides(names, name)) return undefined;
    if (!names.includes(name)) continue;
    if (values.has(name)) return undefined;
    values.set(name, at === -1 ? '' : pair.slice(at + 1));
  }
  return values;
}

// pydantic's lax booleans: these words, in any case.
const TRUE_WORDS = ['1', 't', 'true', 'y', 'yes', 'on'];
const FALSE_WORDS = ['0', 'f', 'false', 'n', 'no', 'off'];

function isTrue(value: string | undefined): boolean {
  return value !== undefined && TRUE_WORDS.includes(value.toLowerCase());
}

/** `page-token` is opaque base64, which clients percent-encode. Lictor does not decide on its letters. */
function isPlain(name: string, value: string): boolean {
  if (name === 'page-token') return true;
  if (name === 'include_secrets') return isTrue(value) || FALSE_WORDS.includes(value.toLowerCase());
  return /^[\w.~-]*$/.test(value);
}

function hides(names: readonly string[], rawName: string): boolean {
  if (!rawName.includes('%')) return false;
  try {
    return names.includes(decodeURIComponent(rawName));
  } catch {
    return true; // it does not decode here, but may on the server: nothing to decide on
  }
}
