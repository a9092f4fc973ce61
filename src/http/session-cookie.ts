// The session cookie, as text for Set-Cookie. Reading it is nginx's business.
import type { PublicUrl } from '../config/config.ts';
import { sessionCookieName } from '../contract/names.ts';

/** Not for scripts, not on cross-site requests other than following a link, gone with the browser's own session. */
export function sessionCookie(publicUrl: PublicUrl, value: string): string {
  return `${sessionCookieName(publicUrl)}=${value}; ${attributes(publicUrl)}`;
}

export function expiredSessionCookie(publicUrl: PublicUrl): string {
  return `${sessionCookieName(publicUrl)}=; ${attributes(publicUrl)}; Max-Age=0`;
}

function attributes(publicUrl: PublicUrl): string {
  return `Path=${publicUrl.basePath}/; HttpOnly; SameSite=Lax${publicUrl.secure ? '; Secure' : ''}`;
}
