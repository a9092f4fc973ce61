// Names of flow runs and deployments -> ids, with suggestions for unknown ones. For the command line and the API.
import { meantWords } from '../../../config/suggest.ts';
import { LictorError } from '../../../contract/error.ts';
import { parseUuid } from '../../../contract/json/uuid.ts';
import type { EventReader, NamedKind } from '../prefect-events/read-events.ts';
import type { AuditFilter, LedgerReader } from '../query.ts';

const WORDS: Readonly<Record<NamedKind, string>> = { 'flow-run': 'flow run', deployment: 'deployment' };
const MOST_IDS = 5;

/** The stored events of Prefect. */
export type Names = Pick<EventReader, 'named'>;

export const NO_NAMES: Names = { named: () => [] };

/** For a caller who may not see the names of Prefect's objects: an exact name, which the caller knows, is found. No name is suggested. */
export function exactNames(names: Names): Names {
  return { named: (kind, name) => (name === undefined ? [] : names.named(kind, name)) };
}

/** Passes ids. Throws LictorError `name-unknown` for a name of no object, or of several. */
export function idOfNamed(names: Names, kind: NamedKind, text: string): string {
  const id = parseUuid(text);
  if (id !== undefined) return id;
  const [first, ...others] = names.named(kind, text);
  if (first === undefined)
    throw unknownName(
      `No ${WORDS[kind]} is called ${JSON.stringify(text)} in the stored events of Prefect.${meantName(names, kind, text)} An id works as well.`,
    );
  if (others.length === 0) return first.id;
  const ids = [first, ...others].slice(0, MOST_IDS).map((one) => one.id);
  throw unknownName(`${others.length + 1} are called ${JSON.stringify(text)}: name one by its id, the newest first: ${ids.join(', ')}.`);
}

function unknownName(message: string): LictorError {
  return new LictorError('name-unknown', message);
}

/** Replaces names in a filter by ids. Throws as `idOfNamed` does. */
export function withIds<F extends Pick<AuditFilter, 'flowRun' | 'deployment'>>(names: Names, filter: F): F {
  const { flowRun, deployment } = filter;
  return {
    ...filter,
    ...(flowRun !== undefined && { flowRun: idOfNamed(names, 'flow-run', flowRun) }),
    ...(deployment !== undefined && { deployment: idOfNamed(names, 'deployment', deployment) }),
  };
}

/** Says which principal, run or deployment has no record at all. Undefined: each has one. The filter has ids. */
export async function unknownWords(
  { reader, names }: { readonly reader: Pick<LedgerReader, 'audit' | 'principals'>; readonly names: Names },
  { principal, flowRun, deployment }: AuditFilter,
): Promise<string | undefined> {
  if (principal !== undefined) {
    const known = reader.principals();
    if (!known.includes(principal)) return `${principal} has no record.${meantWords(principal, known)}`;
  }
  if (flowRun !== undefined && !(await isIn(reader, { flowRun }))) return `Flow run ${flowRun} has no record.${meantName(names, 'flow-run', flowRun)}`;
  if (deployment !== undefined && !(await isIn(reader, { deployment })))
    return `Deployment ${deployment} has no record.${meantName(names, 'deployment', deployment)}`;
  return undefined;
}

async function isIn(reader: Pick<LedgerReader, 'audit'>, filter: AuditFilter): Promise<boolean> {
  for await (const _record of reader.audit({ ...filter, limit: 1 })) return true;
  return false;
}

/** ` Did you mean ...?`, with a similar name or id. Empty: none is similar. */
export function meantName(names: Names, kind: NamedKind, text: string): string {
  const id = parseUuid(text);
  const known = names.named(kind);
  if (id === undefined)
    return meantWords(
      text,
      known.map(({ name }) => name),
    );
  const others = known.filter((one) => one.id !== id);
  return meantWords(
    id,
    others.map((one) => one.id),
  );
}
