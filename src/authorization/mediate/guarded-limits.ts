// The concurrency limit of a guarded tag: it holds back every task with the tag, so who changes or occupies it needs the tag as well.

import { readsAsUuid } from '../../contract/json/uuid.ts';
import { textField } from '../../prefect/client/answer.ts';
import { readLimit } from '../../prefect/client/entities.ts';
import type { Lookup } from '../../prefect/client/lookup.ts';
import { type Ask, objectOf } from '../decide/asks.ts';

/** The right to do the same with an object of this tag. */
export function tagAsk({ action, resource, facts }: Ask, tag: string): Ask {
  return { action, resource, ...(facts !== undefined && { facts }), on: { kind: 'tag', tag } };
}

/** True: the ask is a right on one limit. */
export function touchesLimit(ask: Ask): boolean {
  const { type, id } = objectOf(ask);
  return type === 'ConcurrencyLimit' && id !== null;
}

/** An ask for each guarded tag whose limit these asks are about. */
export async function limitTagAsks(asks: readonly Ask[], guarded: ReadonlySet<string>, lookup: Lookup): Promise<readonly Ask[]> {
  const further: Ask[] = [];
  for (const ask of asks) {
    const tag = await tagOf(ask, guarded, lookup);
    if (tag !== undefined) further.push(tagAsk(ask, tag));
  }
  return further;
}

async function tagOf(ask: Ask, guarded: ReadonlySet<string>, lookup: Lookup): Promise<string | undefined> {
  const limit = objectOf(ask);
  const isById = limit.within === undefined && readsAsUuid(limit.id ?? '');
  const named = limit.within === 'tag' ? limit.id : tagInName(limit.id);
  if (!isById && !isIn(guarded, named)) return undefined;
  // Taking slots of a limit that is not there is nothing.
  const found = isById || (ask.on?.kind === 'related' && ask.on.orAbsent === true) ? await readLimit(lookup, limit.id ?? '', limit.within) : undefined;
  if (found === null) return undefined;
  const tag = found === undefined || !isById ? named : (textField(found, 'tag') ?? tagInName(textField(found, 'name')));
  return isIn(guarded, tag) ? tag : undefined;
}

function isIn(guarded: ReadonlySet<string>, tag: string | null): tag is string {
  return tag !== null && guarded.has(tag);
}

/** The new spelling of the limit of a tag; null: it is a limit of another kind. */
function tagInName(name: string | null): string | null {
  return name?.startsWith(TAG) === true ? name.slice(TAG.length) : null;
}

const TAG = 'tag:';
