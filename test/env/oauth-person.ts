// A person who allows an OAuth client, in a real browser: the gateway's page after Keycloak's.
import type { BrowserContext, Page } from 'playwright-core';
import { PEOPLE } from './keycloak.ts';
import { logInAtKeycloak } from './keycloak-person.ts';

/** Opens a page of the gateway as alice, who logs in if the browser has no session yet. */
export async function openAsAlice(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage();
  await page.goto(url);
  if (new URL(page.url()).pathname.startsWith('/realms/')) await logInAtKeycloak(page, PEOPLE.alice);
  return page;
}

/** Opens the page on which alice allows or refuses a client. */
export async function openConsent(context: BrowserContext, url: string): Promise<Page> {
  const page = await openAsAlice(context, url);
  await page.getByText('Allow this client?').first().waitFor();
  return page;
}

/** Clicks. Answers the address at the client, to which the browser goes. */
export async function answerConsent(page: Page, { button, to }: { readonly button: 'Allow' | 'Refuse'; readonly to: string }): Promise<URL> {
  await page.getByRole('button', { name: button }).click();
  await page.waitForURL((at) => at.href.startsWith(to));
  const at = new URL(page.url());
  await page.close();
  return at;
}
