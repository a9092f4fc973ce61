// The principals that a draft of policies names and Lictor does not know: a warning, because a person may come later.
import type { Problem } from '../../config/problem.ts';
import { nearestName } from '../../config/suggest.ts';
import { LictorError } from '../../contract/error.ts';
import type { PolicyFiles } from '../../contract/policy-files.ts';
import { findPrincipal, knownIds, type PrincipalParts } from './principal.ts';

/** The most names that are looked for one by one. */
const MOST_NAMES = 20;
/** Comments and other strings are matched too, so that a name inside them is none. */
const TOKENS = /\/\/[^\n]*|\bPrincipal::"((?:[^"\\\n]|\\.)*)"|"(?:[^"\\]|\\.)*"/g;

interface Named {
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export async function unknownPrincipals(files: PolicyFiles, parts: PrincipalParts): Promise<readonly Problem[]> {
  const named = Object.entries(files).flatMap(([file, text]) => (file.endsWith('.cedar') ? namedIn(file, text) : []));
  if (named.length === 0) return [];
  const known = await knownIds(await parts.store(), parts);
  const listed = new Set(known);
  const others = [...new Set(named.map(({ name }) => name))].filter((name) => !listed.has(name)).slice(0, MOST_NAMES);
  const unknown = new Map<string, string>();
  for (const name of others) if (!(await exists(name, parts))) unknown.set(name, messageOf(name, known));
  return named.flatMap(({ name, ...place }) => {
    const message = unknown.get(name);
    return message === undefined ? [] : [{ ...place, path: '', message, remedy: REMEDY }];
  });
}

/** One pass over the text: a draft can be large, and all requests wait meanwhile. */
function namedIn(file: string, text: string): readonly Named[] {
  let [line, column, from] = [1, 1, 0];
  return [...text.matchAll(TOKENS)].flatMap(({ 0: token, 1: name, index }) => {
    if (name === undefined) return [];
    const at = index + token.indexOf('"');
    const lines = text.slice(from, at).split('\n');
    const characters = [...(lines.at(-1) ?? '')].length;
    line += lines.length - 1;
    column = lines.length === 1 ? column + characters : characters + 1;
    from = at;
    return [{ name, file, line, column }];
  });
}

/** Also a person that SCIM has sent, a workload, or a run. */
async function exists(name: string, parts: PrincipalParts): Promise<boolean> {
  try {
    return !(await findPrincipal(name, parts)).hypothetical;
  } catch (error) {
    if (error instanceof LictorError && error.code === 'principal-unknown') return false;
    throw error;
  }
}

function messageOf(name: string, known: readonly string[]): string {
  const near = known.find((id) => id.startsWith(`${name}@`) || id.endsWith(`:${name}`)) ?? nearestName(name, known);
  return `no such principal ${JSON.stringify(name)}${near === undefined ? '' : `: did you mean ${near}?`}`;
}

const REMEDY = 'The policy matches it from its first login or token on. Correct the name if it is misspelt.';
