// The text of Set-Cookie for sessions and login attempts. nginx reads the cookies.

import type { PublicUrl } from '../../config/config.ts';
import { deviceCookieName, loginCookieName, sessionCookieName } from '../../contract/names.ts';
import { DEVICE_LIFE_MS } from '../../identity/authn/accounts/devices.ts';
import { LOGIN_ATTEMPT_LIMITS } from '../../store/login-attempts.ts';

/** Scripts cannot read it, cross-site requests carry it only for links, and it ends with the browser. */
export function sessionCookie(publicUrl: PublicUrl, value: string): string {
  return `${sessionCookieName(publicUrl)}=${value}; ${attributes(publicUrl)}`;
}

export function expiredSessionCookie(publicUrl: PublicUrl): string {
  return `${sessionCookieName(publicUrl)}=; ${attributes(publicUrl)}; Max-Age=0`;
}

/** It outlives the session. It only proves an earlier login from this browser. */
export function deviceCookie(publicUrl: PublicUrl, value: string): string {
  return `${deviceCookieName(publicUrl)}=${value}; ${attributes(publicUrl)}; Max-Age=${DEVICE_LIFE_MS / 1000}`;
}

/** Ends with the attempt. Lax, because the provider redirects back from another site. */
export function loginCookie(publicUrl: PublicUrl, { state, browser }: { readonly state: string; readonly browser: string }): string {
  return `${loginCookieName(publicUrl, state)}=${browser}; ${attributes(publicUrl)}; Max-Age=${LOGIN_ATTEMPT_LIMITS.lifeMs / 1000}`;
}

export function expiredLoginCookie(publicUrl: PublicUrl, state: string): string {
  return `${loginCookieName(publicUrl, state)}=; ${attributes(publicUrl)}; Max-Age=0`;
}

function attributes(publicUrl: PublicUrl): string {
  return `Path=${publicUrl.basePath}/; HttpOnly; SameSite=Lax${publicUrl.secure ? '; Secure' : ''}`;
}
