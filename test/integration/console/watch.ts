// What a page of the console must never do, whatever it shows.
import type { Page } from 'playwright-core';

/** Statuses that a walk causes on purpose; the browser logs each as an error. */
const EXPECTED = /^Failed to load resource: the server responded with a status of (?:400|401|403|404|409|422|429|503)|^Failed to load resource: net::ERR_/;

/** Adds to `misdeeds`: errors, reports of the Content-Security-Policy, and requests to another origin. */
export function watchPage(page: Page, url: string, misdeeds: string[]): void {
  const { origin } = new URL(url);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !EXPECTED.test(message.text())) misdeeds.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => misdeeds.push(`error: ${error.message}`));
  page.on('request', (request) => {
    const to = request.url();
    if (!to.startsWith('data:') && !to.startsWith('blob:') && new URL(to).origin !== origin) misdeeds.push(`request: ${to}`);
  });
}
