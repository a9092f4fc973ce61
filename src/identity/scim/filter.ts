// Filters of lists: comparisons by eq, joined with and. Identity providers look for a user or a group by its name or id, and by nothing else.
import type { ScimQuery } from '../../store/scim.ts';
import { invalid } from './error.ts';

const LIMITS = { characters: 1024, comparisons: 8 } as const;
const COMPARISON = /\s*([A-Za-z$][\w$:.-]*)\s+eq\s+("(?:[^"\\]|\\.)*")\s*/iy;
const AND = /and(?=\s)/iy;

const FIELDS: Readonly<Record<string, ScimQuery['equals'][number]['field']>> = { id: 'id', externalid: 'externalId' };

/** `name`: what the resource is called by, in lower case. Throws `invalidFilter` for every other filter. */
export function parseFilter(text: string | undefined, name: 'username' | 'displayname'): ScimQuery['equals'] {
  if (text === undefined) return [];
  if (text.length > LIMITS.characters) throw invalid('invalidFilter', `The filter is longer than ${LIMITS.characters} characters.`);
  const equals: ScimQuery['equals'][number][] = [];
  for (let at = 0; equals.length < LIMITS.comparisons; ) {
    COMPARISON.lastIndex = at;
    const [whole = '', attribute = '', literal = ''] = COMPARISON.exec(text) ?? [];
    const key = withoutSchema(attribute).toLowerCase();
    const field = key === name ? 'name' : FIELDS[key];
    if (whole === '' || field === undefined) break;
    equals.push({ field, value: textOf(literal) });
    at += whole.length;
    if (at === text.length) return equals;
    AND.lastIndex = at;
    if (!AND.test(text)) break;
    at += 'and'.length;
  }
  throw invalid('invalidFilter', 'Lictor knows filters of the form: ATTRIBUTE eq "VALUE" and ...; with userName or displayName, externalId and id.');
}

/** `urn:ietf:params:scim:schemas:core:2.0:User:userName` -> `userName`. */
export function withoutSchema(attribute: string): string {
  return attribute.replace(/^urn:ietf:params:scim:schemas:core:2\.0:(?:user|group):/i, '');
}

export function textOf(literal: string): string {
  try {
    return String(JSON.parse(literal));
  } catch {
    throw invalid('invalidFilter', 'A value of the filter is no JSON text.');
  }
}
