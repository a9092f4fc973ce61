// The second script that nginx adds to Prefect's pages: a small bar with the signed-in principal and a logout button.

import { SIGNING_OUT } from './expired-script.ts';

export interface BarPlaces {
  /** The address that returns the principal as JSON. */
  readonly me: string;
  /** The page of the account. */
  readonly account: string;
  /** The address of the console, with a slash at the end. */
  readonly console: string;
  /** The address of the logout form. */
  readonly logout: string;
}

/**
 * A shadow root separates the styles of the bar and of Prefect's page. The name is text, never HTML. The logout is a POST of a form, which the
 * control plane accepts only from its own origin. Without a browser session there is nothing to end, so there is no button, and no console.
 * Prefect's UI changes the address without a new page, so the link to the run's timeline follows the address.
 */
export function renderBarScript(places: BarPlaces): string {
  return `(() => {
  'use strict';
  const places = ${JSON.stringify(places)};
  const element = (name, fields, children = []) => {
    const made = Object.assign(document.createElement(name), fields);
    made.append(...children);
    return made;
  };
  const flowRun = () => /\\/flow-run\\/([0-9a-f-]{36})(?:\\/|$)/.exec(location.pathname)?.[1];
  const consoleLink = ({ rights }) => {
    const link = element('a');
    const update = () => {
      const run = rights['ledger.read']?.allowed ? flowRun() : undefined;
      Object.assign(link, run === undefined ? { href: places.console, textContent: 'Console' } : { href: places.console + 'runs/' + run, textContent: 'Timeline' });
    };
    for (const event of ['pointerenter', 'focus', 'click']) link.addEventListener(event, update);
    window.navigation?.addEventListener('currententrychange', update);
    update();
    return link;
  };
  const show = ({ principal, carrier, rights }) => {
    const host = element('div', { id: 'lictor-bar' });
    const button = element('button', { textContent: 'Sign out' });
    const form = element('form', { method: 'post', action: places.logout }, [button]);
    form.addEventListener('submit', () => dispatchEvent(new Event('${SIGNING_OUT}')));
    const who = element('a', { href: places.account, textContent: principal, title: 'Signed in at Lictor as ' + principal });
    const bar = element('div', { className: 'bar' }, carrier === 'session' ? [who, consoleLink({ rights }), form] : [who]);
    host.attachShadow({ mode: 'open' }).append(element('style', { textContent: ${JSON.stringify(STYLE)} }), bar);
    document.body.append(host);
  };
  const begin = async () => {
    const answer = await fetch(places.me, { headers: { accept: 'application/json' } });
    if (answer.ok) show(await answer.json());
  };
  begin().catch(() => undefined);
})();
`;
}

const STYLE = `
.bar {
  position: fixed; right: 12px; bottom: 8px; z-index: 40; display: flex; align-items: center; gap: 8px; max-width: min(24rem, 60vw); padding: 3px 4px 3px 12px;
  color: #17202c; background: rgb(255 255 255 / 92%); border: 1px solid #c3ccd9; border-radius: 999px; box-shadow: 0 1px 4px rgb(0 0 0 / 15%);
  font: 12px/1.5 system-ui, sans-serif;
}
a { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; color: inherit; text-decoration: none; padding-right: 8px; }
a:hover { text-decoration: underline; }
form { margin: 0; }
button { padding: 2px 10px; font: inherit; font-weight: 600; white-space: nowrap; cursor: pointer; color: #fff; background: #2457c5; border: 0; border-radius: 999px; }
:focus-visible { outline: 2px solid #2457c5; outline-offset: 2px; }
@media print { .bar { display: none; } }
`;
