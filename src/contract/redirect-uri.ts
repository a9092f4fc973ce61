// Redirect URIs of OAuth clients: which ones a client may have, and when one of a request is one of the client's. Pure.

/** Printable ASCII without quotes, brackets of HTML, backslash and fragment. Goes into a redirect and a page as it is. */
const PLAIN = /^[a-z][a-z0-9+.-]*:[!$-;=?-[\]_a-z~]+$/;
const LONGEST = 512;

/** RFC 8252 7.3: a program on the person's machine. Its port is chosen at each login. */
const LOOPBACK = /^(http:\/\/(?:localhost|127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?(?=[/?]|$)/;

/** Schemes that no app registers, or that browsers give a meaning (RFC 8252 7.1 lets an app have any other one). */
const NO_APP = new Set([
  ...['about:', 'blob:', 'chrome:', 'data:', 'file:', 'filesystem:', 'ftp:', 'http:', 'intent:', 'javascript:', 'mailto:', 'sms:', 'tel:'],
  ...['urn:', 'vbscript:', 'view-source:', 'ws:', 'wss:'],
]);

/** https, http on loopback, or the scheme of an app. */
export function isRedirectUri(text: string): boolean {
  const url = PLAIN.test(text) && text.length <= LONGEST ? URL.parse(text) : null;
  if (url === null || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' ? text.startsWith('https://') : LOOPBACK.test(text) || !NO_APP.has(url.protocol);
}

/** Equal as texts (RFC 9700 2.1), except for the port on loopback. */
export function isSameRedirect(registered: string, given: string): boolean {
  if (registered === given) return true;
  return isLoopbackRedirect(registered) && isLoopbackRedirect(given) && withoutPort(registered) === withoutPort(given);
}

export function isLoopbackRedirect(uri: string): boolean {
  return LOOPBACK.test(uri);
}

/** For the person: the host, or the scheme of an app. */
export function redirectTarget(uri: string): string {
  const { protocol, host } = new URL(uri);
  return protocol === 'https:' || protocol === 'http:' ? host : protocol;
}

function withoutPort(uri: string): string {
  return uri.replace(LOOPBACK, '$1');
}
