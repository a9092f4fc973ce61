// Suggests a name for a run or deployment that Prefect does not have.
import type { Located } from '../../contract/decision.ts';
import { UpstreamError } from '../../prefect/client/upstream-error.ts';
import type { NamedKind } from '../../record/ledger/prefect-events/read-events.ts';
import { meantName, type Names } from '../../record/ledger/search/names.ts';
import { type ExplainerParts, entitiesOf } from './explainer.ts';

const KINDS: Readonly<Partial<Record<Located['type'], readonly [kind: NamedKind, noun: string]>>> = {
  FlowRun: ['flow-run', 'flow run'],
  Deployment: ['deployment', 'deployment'],
};

/** Undefined: Prefect has it or does not answer, or it is neither a run nor a deployment. */
export async function absentWords(parts: ExplainerParts, { type, id, ...place }: Located, names: Names): Promise<string | undefined> {
  const [kind, noun] = KINDS[type] ?? [];
  if (kind === undefined || id === null || (await isThere(parts, { type, id, ...place }))) return undefined;
  const whole = place.within === undefined ? id : `${place.within}/${id}`;
  return `Prefect has no ${noun} ${whole}.${meantName(names, kind, id)}`;
}

async function isThere(parts: ExplainerParts, resource: Located): Promise<boolean> {
  try {
    return (await entitiesOf(parts).find(resource)) !== null;
  } catch (error) {
    if (error instanceof UpstreamError) return true;
    throw error;
  }
}
