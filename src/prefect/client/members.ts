// The upstream members: each server with each credential that it may accept. There are two credentials during a rotation.

export interface PrefectPlaces {
  /** Base URLs without a trailing slash and without `/api`: one, or several that share one database. */
  readonly servers: readonly string[];
  /** `user:password`, or null. */
  readonly authString: string | null;
  /** Instead of an auth string. */
  readonly apiKey?: string | null;
  /** The next credential of a rotation: Lictor sends it to servers that reject the present one. */
  readonly next?: string | null;
}

export interface Credential {
  /** For the header `Authorization`; null: none. */
  readonly authorization: string | null;
  /** For the first frame of a socket. */
  readonly token: string | null;
}

/** One credential, or two different ones with the present one first. */
export function credentialsOf(places: PrefectPlaces): readonly [Credential, ...Credential[]] {
  const { next = null } = places;
  const present = presentOf(places);
  const kind = places.apiKey == null ? basic : bearer;
  return next === null || next === present ? [kind(present)] : [kind(present), kind(next)];
}

/** One upstream of nginx. */
export interface Member {
  /** The server's address, with a suffix for the next credential. Never a secret. */
  readonly id: string;
  readonly server: string;
  readonly shows: 'present' | 'next';
}

/** The members that get requests. */
export function membersOf(places: PrefectPlaces): readonly Member[] {
  const present = places.servers.map((server): Member => ({ id: server, server, shows: 'present' }));
  return credentialsOf(places).length === 1 ? present : [...present, ...comingMembers(places)];
}

/**
 * The members with a listener: all that get requests. For some seconds after a rotation, they include members that nginx's old workers still
 * send requests to.
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
