// Login at Keycloak through a gateway by plain HTTP, as a browser without a screen does it.
import { cookiesOf, navigate, type Session } from './browser-session.ts';
import type { Person } from './keycloak-person.ts';
import { noteAddress, noteSecret } from './stored-secrets.ts';

export interface Callback {
  /** Where Keycloak sends the browser back to. */
  readonly url: URL;
  /** The cookie of the login attempt, as a whole `Cookie` header. */
  readonly cookie: string;
}

/** To Keycloak with name and password, and not yet back. `page` is where the login begins. */
export async function goToKeycloak(gatewayUrl: string, { name, password }: Person, page = '/.lictor/login'): Promise<Callback> {
  const sent = await navigate(new URL(`${gatewayUrl}${page}`));
  if (sent.location === undefined) throw new Error(`${page}: ${sent.status} ${sent.html.slice(0, 500)}`);
  const next = new URL(sent.location, gatewayUrl);
  // A deep link leads to the login page first.
  if (next.origin === new URL(gatewayUrl).origin) return await goToKeycloak(next.origin, { name, password }, `${next.pathname}${next.search}`);
  return { url: await answerKeycloak(next, { name, password }), cookie: sent.cookies };
}

/** From the address of a login at Keycloak to the one that it sends the browser back to. */
export async function answerKeycloak(location: URL, { name, password }: Person): Promise<URL> {
  const form = await fetch(location, { redirect: 'manual' });
  const html = await form.text();
  const action = /<form[^>]*action="([^"]*)"/.exec(html)?.[1]?.replaceAll('&amp;', '&');
  if (action === undefined) throw new Error(`Keycloak shows no form: ${form.status} ${html.slice(0, 500)}`);
  const answer = await fetch(action, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: cookiesOf(form) },
    body: new URLSearchParams({ username: name, password, credentialId: '' }),
  });
  const back = answer.headers.get('location');
  if (back === null)
    throw new Error(`Keycloak took no login of ${name}: ${answer.status} ${/<span[^>]*input-error[^>]*>([^<]*)/.exec(await answer.text())?.[1] ?? ''}`);
  noteSecret(password);
  noteAddress(back);
  return new URL(back);
}

export async function logInThroughKeycloak(gatewayUrl: string, person: Person, page?: string): Promise<Session & { readonly location: string }> {
  const { url, cookie } = await goToKeycloak(gatewayUrl, person, page);
  const done = await navigate(url, cookie);
  if (done.status !== 303 || done.cookies === '') throw new Error(`no session for ${person.name}: ${done.status} ${done.html.slice(-1500)}`);
  return { cookie: done.cookies, location: done.location ?? '' };
}
