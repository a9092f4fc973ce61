// The tabs of the view, and the words of the address for them.

export const PLACES = [
  { id: 'people', title: 'People' },
  { id: 'services', title: 'Service tokens' },
  { id: 'agents', title: 'Agents' },
  { id: 'groups', title: 'Groups' },
  { id: 'sessions', title: 'Sessions' },
  { id: 'locks', title: 'Locks' },
  { id: 'sockets', title: 'Open sockets' },
] as const;

export type Place = (typeof PLACES)[number]['id'];

/** People for any other text: an address may be old or mistyped. */
export function placeOf(text: string): Place {
  return PLACES.find(({ id }) => id === text)?.id ?? 'people';
}
