// The script that nginx adds to Prefect's pages, because neither of its UIs leaves a page after the end of the session.

/** The event by which the bar announces to this script that the person signs out. */
export const SIGNING_OUT = 'lictor-signing-out';

/**
 * Watches the requests of the page (fetch and XMLHttpRequest) for a 401. Then it goes to the login page once, with the current address as the
 * return address. The login page does not have this script, so there is no loop. The script reloads a page that the browser restores from memory
 * ("back" after logout). During a logout a 401 is expected, and leaving the page would cancel the logout's answer.
 */
export function renderExpiredScript(loginPath: string): string {
  return `(() => {
  'use strict';
  const login = ${JSON.stringify(loginPath)};
  let leaving = false;
  const leave = () => {
    if (leaving || location.pathname === login) return;
    leaving = true;
    location.assign(login + '?return=' + encodeURIComponent(location.pathname + location.search));
  };
  new PerformanceObserver((list) => {
    if (list.getEntries().some((entry) => entry.responseStatus === 401 && entry.name.startsWith(location.origin + '/'))) leave();
  }).observe({ type: 'resource', buffered: true });
  addEventListener('${SIGNING_OUT}', () => {
    leaving = true;
  });
  addEventListener('pageshow', (event) => {
    if (event.persisted) location.reload();
  });
})();
`;
}
