// A person at Keycloak's pages, in a real browser.
import type { BrowserContext, Page } from 'playwright-core';

export interface Person {
  readonly name: string;
  readonly password: string;
}

/** Fills in Keycloak's login form, which the page shows or is on its way to. */
export async function logInAtKeycloak(page: Page, { name, password }: Person): Promise<void> {
  await page.locator('#username').fill(name);
  await page.locator('#password').fill(password);
  await page.locator('#kc-login').click();
}

/** Prefect's own pages load without their program: they cost seconds of a core, and sessions are the same without it. */
export async function withoutUi(context: BrowserContext): Promise<BrowserContext> {
  await context.route(/\/assets\/.*\.js$/, (route) => route.abort());
  return context;
}
