// The cookies of session and login attempt, as text for Set-Cookie. Reading them is nginx's business.

import type { PublicUrl } from '../../config/config.ts';
import { deviceCookieName, loginCookieName, sessionCookieName } from '../../contract/names.ts';
import { DEVICE_LIFE_MS } from '../../identity/authn/accounts/devices.ts';
import { LOGIN_ATTEMPT_LIMITS } from '../../store/login-attempts.ts';

/** Not for scripts, not on cross-site requests other than following a link, gone with the browser's own session. */
export function sessionCookie(publicUrl: PublicUrl, value: string): string {
  return `${sessionCookieName(publicUrl)}=${value}; ${attributes(publicUrl)}`;
}

export function expiredSessionCookie(publicUrl: PublicUrl): string {
  return `${sessionCookieName(publicUrl)}=; ${attributes(publicUrl)}; Max-Age=0`;
}

/** It outlives the session: it says only that a person has logged in here before. */
export function deviceCookie(publicUrl: PublicUrl, value: string): string {
  return `${deviceCookieName(publicUrl)}=${value}; ${attributes(publicUrl)}; Max-Age=${DEVICE_LIFE_MS / 1000}`;
}

/** As long as an attempt lives. Lax, since the way back from the provider is a link from another site. */
export function loginCookie(publicUrl: PublicUrl, { state, browser }: { readonly state: string; readonly browser: string }): string {
  return `${loginCookieName(publicUrl, state)}=${browser}; ${attributes(publicUrl)}; Max-Age=${LOGIN_ATTEMPT_LIMITS.lifeMs / 1000}`;
}

export function expiredLoginCookie(publicUrl: PublicUrl, state: string): string {
  return `${loginCookieName(publicUrl, state)}=; ${attributes(publicUrl)}; Max-Age=0`;
}

function attributes(publicUrl: PublicUrl): string {
  return `Path=${publicUrl.basePath}/; HttpOnly; SameSite=Lax${publicUrl.secure ? '; Secure' : ''}`;
}
