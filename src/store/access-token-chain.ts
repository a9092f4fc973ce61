// The chain of an access token in a column: the actor that holds the token, and the subject that it acts for. JSON, checked when read.
import { z } from 'zod';
import { corruptColumn, parseColumn } from './json-column.ts';

const IDENTITY = z
  .object({
    ...{ idp: z.string(), subject: z.string(), name: z.string(), kind: z.enum(['user', 'service']) },
    ...{ groups: z.array(z.string()).readonly(), claims: z.record(z.string(), z.string()).readonly() },
  })
  .readonly();

/** `trust`: the trusted settings of the provider at the time. `proof`: the credential id of the proof. */
const PROVEN = z.object({ identity: IDENTITY, trust: z.string(), proof: z.string() }).readonly();

const LINK = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('identity'), ...PROVEN.unwrap().shape }).readonly(),
  /** A service token, the login of a client, or another access token, by its id. */
  z.object({ kind: z.enum(['token', 'login', 'access']), id: z.string() }).readonly(),
]);

/** `principals`: their ids when Lictor issued the token, the actor first. */
const CHAIN = z.object({ actor: LINK, subject: LINK, principals: z.array(z.string()).readonly() }).readonly();

/** An identity that a provider has proven. */
export type ProvenIdentity = z.infer<typeof PROVEN>;
/** A principal of a chain, by its credential: Lictor checks the credential again at each use. */
export type ChainLink = z.infer<typeof LINK>;
export type Chain = z.infer<typeof CHAIN>;

export function chainToColumn(chain: Chain): string {
  return JSON.stringify(chain);
}

/** Throws `store-corrupt` when the column is no chain: nothing may be decided on it. */
export function chainFromColumn(column: string | null): Chain | null {
  if (column === null) return null;
  const parsed = CHAIN.safeParse(parseColumn(column, WHAT));
  if (!parsed.success) throw corruptColumn(WHAT, parsed.error);
  return parsed.data;
}

const WHAT = 'chain of an access token';
