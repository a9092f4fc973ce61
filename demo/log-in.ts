// Logs a person in over HTTP, the way the login page's form does.
import { LictorError } from '../src/contract/error.ts';
import type { Person } from './people.ts';

/** Headers that carry the new session, with the Origin that its writes need. */
export async function logIn(url: string, person: Person): Promise<Readonly<Record<string, string>>> {
  const page = await fetch(`${url}/.lictor/login`, { headers: { accept: 'text/html' }, redirect: 'manual' });
  const response = await fetch(`${url}/.lictor/login`, {
    method: 'POST',
    redirect: 'manual',
    headers: { origin: url, accept: 'text/html', cookie: cookies(page) },
    body: new URLSearchParams({ ...hiddenFields(await page.text()), username: person.name, password: person.password }),
  });
  const cookie = cookies(response);
  if (cookie === '') throw new LictorError('demo-step-failed', `${person.name} could not log in: the gateway answered ${response.status}`);
  return { cookie, origin: url };
}

function cookies(response: Response): string {
  const pairs = response.headers.getSetCookie().map((line) => line.split(';')[0] ?? '');
  return pairs.filter((pair) => !pair.endsWith('=')).join('; ');
}

/** The hidden inputs of our own login page; not a general HTML reader. */
function hiddenFields(html: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const [tag] of html.matchAll(/<input[^>]*type="hidden"[^>]*>/g)) {
    const name = /name="([^"]*)"/.exec(tag)?.[1];
    if (name !== undefined) fields[name] = /value="([^"]*)"/.exec(tag)?.[1] ?? '';
  }
  return fields;
}
