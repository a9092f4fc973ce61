// Who is signed in, and what they may do.
import { queryOptions, useSuspenseQuery } from '@tanstack/react-query';
import { answerOf, api, setCsrfToken } from '../api/client.ts';

export const meQuery = queryOptions({
  queryKey: ['me'],
  queryFn: async ({ signal }) => {
    const me = await answerOf(api.GET('/me', { signal }));
    setCsrfToken(me.csrf_token ?? '');
    return me;
  },
  staleTime: 30_000,
});

/** An action of the group admin in the policies. */
export type Right = 'ledger.read' | 'access.read' | 'access.write' | 'policies.write' | 'gateway.read';

export interface RightAnswer {
  readonly allowed: boolean;
  /** The right is about the objects in the scopes of the person's roles. */
  readonly own_objects_only: boolean;
  /** Which role has it. */
  readonly detail: string | null;
}

export interface Me {
  readonly principal: string;
  readonly roles: readonly string[];
  readonly rights: Readonly<Record<string, RightAnswer>>;
}

/** In every view: the shell has loaded it before. */
export function useMe() {
  return useSuspenseQuery(meQuery).data;
}

/** The gateway decides; this is for what is shown. */
export function can({ rights }: Pick<Me, 'rights'>, right: Right): boolean {
  return rights[right]?.allowed === true;
}

/** Why the person does not have the right; undefined: the person has it. */
export function whyNot({ rights }: Pick<Me, 'rights'>, right: Right): string | undefined {
  return rights[right]?.allowed === true ? undefined : (rights[right]?.detail ?? `This needs the right ${right}.`);
}
