// A flow run or a deployment by its id or its name, and what was meant by one that is in no record.
import { meantWords } from '../config/suggest.ts';
import { parseUuid } from '../json/uuid.ts';
import type { NamedKind } from '../ledger/prefect-events/read-events.ts';
import type { AuditFilter, LedgerReader } from '../ledger/query.ts';
import { CommandFailed } from './errors.ts';

const WORDS: Readonly<Record<NamedKind, string>> = { 'flow-run': 'flow run', deployment: 'deployment' };
const MOST_IDS = 5;

/** Ids pass. A name is looked up in the stored events of Prefect. Throws CommandFailed for one that nothing, or more than one thing, is called. */
export function idOfNamed({ events }: Pick<LedgerReader, 'events'>, kind: NamedKind, text: string): string {
  const id = parseUuid(text);
  if (id !== undefined) return id;
  const [first, ...others] = events.named(kind, text);
  if (first === undefined) {
    const names = events.named(kind).map(({ name }) => name);
    throw new CommandFailed(
      `No ${WORDS[kind]} is called ${JSON.stringify(text)} in the stored events of Prefect.${meantWords(text, names)} An id works as well.`,
    );
  }
  if (others.length === 0) return first.id;
  const ids = [first, ...others].slice(0, MOST_IDS).map((one) => one.id);
  throw new CommandFailed(`${others.length + 1} are called ${JSON.stringify(text)}: name one by its id, the newest first: ${ids.join(', ')}.`);
}

/** Why nothing was found, where the principal, the run or the deployment is in no record at all; undefined: each is known. */
export async function unknownWords(reader: LedgerReader, { principal, flowRun, deployment }: AuditFilter): Promise<string | undefined> {
  if (principal !== undefined) {
    const known = reader.principals();
    if (!known.includes(principal)) return `No record is of ${principal}.${meantWords(principal, known)}`;
  }
  if (flowRun !== undefined && !(await isIn(reader, { flowRun }))) return `No record is of flow run ${flowRun}.${meantId(reader, 'flow-run', flowRun)}`;
  if (deployment !== undefined && !(await isIn(reader, { deployment })))
    return `No record is of deployment ${deployment}.${meantId(reader, 'deployment', deployment)}`;
  return undefined;
}

async function isIn(reader: LedgerReader, filter: AuditFilter): Promise<boolean> {
  for await (const _record of reader.audit({ ...filter, limit: 1 })) return true;
  return false;
}

/** By an id that is nearly right. */
export function meantId({ events }: Pick<LedgerReader, 'events'>, kind: NamedKind, id: string): string {
  const others = events.named(kind).filter((one) => one.id !== id);
  return meantWords(
    id,
    others.map((one) => one.id),
  );
}
