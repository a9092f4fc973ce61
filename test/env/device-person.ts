// The person's side of a device login, as a browser without a screen does it.
import { navigate, type Session } from './browser-session.ts';

/** Opens the page of a code in a session and clicks; answers the page that comes of it. */
export async function decideOnDevice(url: string, session: Session, userCode: string, decision: 'allow' | 'refuse'): Promise<string> {
  const { status, html } = await navigate(`${url}/.lictor/device?user_code=${encodeURIComponent(userCode)}`, session.cookie);
  if (status !== 200) throw new Error(`the page of ${userCode}: ${status} ${html.slice(-800)}`);
  const fields = [...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)">/g)].map(([, name = '', value = '']): [string, string] => [
    name,
    value,
  ]);
  const answer = await fetch(`${url}/.lictor/device`, {
    method: 'POST',
    redirect: 'manual',
    headers: { cookie: session.cookie, origin: new URL(url).origin, accept: 'text/html' },
    body: new URLSearchParams([...fields, ['decision', decision]]),
  });
  return await answer.text();
}
