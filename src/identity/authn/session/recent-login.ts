// Decisions on approvals and changes over the admin API need a login of the last minutes.

export const RECENT_LOGIN_MS = 5 * 60_000;

/** A login in the future proves nothing: the clock was set back. */
export function isRecentLogin({ authenticatedMs }: { readonly authenticatedMs: number | null }, nowMs: number): boolean {
  if (authenticatedMs === null) return false;
  const ageMs = nowMs - authenticatedMs;
  return ageMs >= 0 && ageMs <= RECENT_LOGIN_MS;
}
