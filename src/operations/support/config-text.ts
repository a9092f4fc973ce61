// lictor.yaml for a support bundle: known keys only, without secrets, comments, names of people, and what addresses may hide.
import { parseDocument, stringify } from 'yaml';
import { isRecord } from '../../config/expand.ts';
import { problemPath } from '../../config/problem.ts';
import type { Keys } from '../../config/report.ts';
import { jsonSchema } from '../../config/schema/index.ts';
import { generalPlace, isSecretIn, schemaKeys } from '../../config/schema/keys.ts';

const SECRET = '[removed: secret]';
const UNKNOWN = '[removed: no key of Lictor]';

/** `${NAME}` stays as it is. A file that is no YAML gives one line: its text is unknown. */
export function configForSupport(text: string): string {
  const document = parseDocument(text);
  if (document.errors.length > 0) return '# lictor.yaml is no valid YAML, so nothing of it is here.\n';
  const schema = jsonSchema();
  const places = new Set(schemaKeys(schema).map(({ place }) => generalPlace(place)));
  return stringify(cleaned(document.toJS({ maxAliasCount: 100 }), [], { isSecret: isSecretIn(schema), isKnown: (place) => places.has(place) }));
}

interface Places {
  readonly isSecret: (keys: Keys) => boolean;
  readonly isKnown: (place: string) => boolean;
}

function cleaned(value: unknown, keys: Keys, places: Places): unknown {
  if (Array.isArray(value)) return value.map((item, index) => cleaned(item, [...keys, index], places));
  if (isRecord(value)) return Object.fromEntries(Object.entries(value).flatMap(([name, item]) => cleanedEntry(name, item, keys, places)));
  if (places.isSecret(keys)) return isReference(value) ? value : SECRET;
  if (!places.isKnown(generalPlace(problemPath(keys)).replace(/(?:\[\])+$/, ''))) return UNKNOWN;
  return typeof value === 'string' ? withoutNames(addressOnly(value)) : value;
}

/** An unknown name may itself be a secret, as where a colon is misplaced. */
function cleanedEntry(name: string, item: unknown, keys: Keys, places: Places): readonly (readonly [string, unknown])[] {
  const own = [...keys, name];
  const place = generalPlace(problemPath(own));
  return [places.isKnown(place) ? [name, cleaned(item, own, places)] : [UNKNOWN, UNKNOWN]];
}

function isReference(value: unknown): boolean {
  return typeof value === 'string' && /^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/.test(value);
}

/** An address keeps its host alone: path, query and user may be secrets, as in webhooks. */
function addressOnly(text: string): string {
  return text.replaceAll(/\b([a-z][a-z0-9+.-]*:\/\/)([^\s/?#@"']*@)?([^\s/?#"']+)([^\s"']*)/gi, (_whole, scheme: string, user, host: string, rest: string) => {
    const path = /^\/?$/.test(rest) ? rest : '/[removed]';
    return `${scheme}${user === undefined ? '' : '[removed]@'}${host}${path}`;
  });
}

function withoutNames(text: string): string {
  return text.replaceAll(/\buser:[^@\s]+@/g, 'user:[name]@').replaceAll(/\b[\w.+-]+@[\w-]+\.[\w.-]+\b/g, '[e-mail]');
}
