// The ways to Prefect: each server, with each credential that it may want. There are two credentials while one is being replaced.

export interface PrefectPlaces {
  /** Base URLs without a trailing slash and without `/api`: one, or several that share one database. */
  readonly servers: readonly string[];
  /** `user:password`, or null. */
  readonly authString: string | null;
  /** Instead of an auth string. */
  readonly apiKey?: string | null;
  /** The credential that comes: shown wherever the present one is refused. */
  readonly next?: string | null;
}

export interface Credential {
  /** For the header `Authorization`; null: none. */
  readonly authorization: string | null;
  /** For the first frame of a socket. */
  readonly token: string | null;
}

/** One, or two that differ: the present one first. */
export function credentialsOf(places: PrefectPlaces): readonly [Credential, ...Credential[]] {
  const { next = null } = places;
  const present = presentOf(places);
  const kind = places.apiKey == null ? basic : bearer;
  return next === null || next === present ? [kind(present)] : [kind(present), kind(next)];
}

/** One way through nginx. */
export interface Member {
  /** The server's address; for the credential that comes, with a mark behind it. Never a secret. */
  readonly id: string;
  readonly server: string;
  readonly shows: 'present' | 'next';
}

/** Those that get requests. */
export function membersOf(places: PrefectPlaces): readonly Member[] {
  const present = places.servers.map((server): Member => ({ id: server, server, shows: 'present' }));
  return credentialsOf(places).length === 1 ? present : [...present, ...comingMembers(places)];
}

/**
 * Those that listen: all that get requests; and for some seconds after the credential that comes has become the present one, those
 * that nginx's former workers still send requests to.
 */
export function listenersOf(places: PrefectPlaces): readonly Member[] {
  const present = places.servers.map((server): Member => ({ id: server, server, shows: 'present' }));
  return places.next != null ? [...present, ...comingMembers(places)] : present;
}

function comingMembers({ servers }: PrefectPlaces): readonly Member[] {
  return servers.map((server): Member => ({ id: `${server}#next`, server, shows: 'next' }));
}

function presentOf({ authString, apiKey = null }: PrefectPlaces): string | null {
  return apiKey ?? authString;
}

function basic(authString: string | null): Credential {
  return { authorization: authString === null ? null : `Basic ${Buffer.from(authString, 'utf8').toString('base64')}`, token: authString };
}

function bearer(apiKey: string | null): Credential {
  return { authorization: apiKey === null ? null : `Bearer ${apiKey}`, token: apiKey };
}
