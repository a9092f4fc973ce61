// The script that nginx puts into Prefect's pages: neither of its UIs leaves a page whose session has ended.

/** The event by which the bar announces to this script that the person signs out. */
export const SIGNING_OUT = 'lictor-signing-out';

/**
 * Watches the page's own requests for a 401 (fetch and XMLHttpRequest alike) and goes to the login page once, with the
 * present address to come back to. The login page does not carry it, so there is no loop. A page that the browser
 * brings back from its memory ("back" after logout) is loaded again. While the bar signs out, a 401 is expected: going
 * to the login page then would cut off the answer of the logout.
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
