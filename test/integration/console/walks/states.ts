// What goes wrong while one looks: the session ends, the gateway restarts, the network is gone, requests are limited. The page says so and recovers.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import type { Account } from '../../../env/gateway.ts';
import type { Stack } from '../stack.ts';

const FIRST_VIEW_BYTES = 200 * 1024;

export function walkStates(stack: () => Stack): void {
  it('a session ended elsewhere: says so, keeps the place and the text, and goes on after a login', async () => {
    const { gateway, accounts } = stack();
    const page = await stack().open('auditor', '/search?q=decision%3Adeny');
    const field = page.getByRole('combobox').first();
    await field.waitFor();
    const { headers } = await page.request.get(`${gateway.url}/.lictor/api/v1/me`).then((answer) => ({ headers: answer.headers() }));
    expect(headers['content-type']).toContain('json');
    await page.request.post(`${gateway.url}/.lictor/logout`, { headers: { origin: new URL(gateway.url).origin } });
    await field.fill('decision:deny principal:bob');
    await page.keyboard.press('Enter');
    await page.getByText('You are signed out.').waitFor();
    expect(new URL(page.url()).searchParams.get('q')).toBe('decision:deny principal:bob');
    await page.getByRole('link', { name: 'Log in again' }).first().click();
    await signIn(page, accounts.auditor);
    await page.getByRole('heading', { name: 'Who did what' }).waitFor();
    expect(new URL(page.url()).searchParams.get('q')).toBe('decision:deny principal:bob');
  });

  it('a deep link survives a login, and shows another person only what they may see', async () => {
    const { gateway, accounts, browser } = stack();
    const page = await (await browser.person()).newPage();
    const link = `${gateway.url}/.lictor/console/access?tab=who`;
    await page.goto(link);
    await signIn(page, accounts.viewer);
    await page.getByText('It needs the right access.read.').waitFor();
    expect(page.url()).toBe(link);
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('You are signed out').waitFor();
    await page.goto(link);
    await signIn(page, accounts.admin);
    await page.getByRole('heading', { name: 'Access' }).waitFor();
    expect(page.url()).toBe(link);
    await page.getByRole('link', { name: 'Health' }).click();
    await page.goBack();
    await page.waitForURL(link);
    await page.goForward();
    await page.waitForURL(/console\/health/);
    await page.context().close();
  });

  it.each([
    [
      'the network is gone',
      'The gateway does not answer.',
      async (page: Page) => {
        await page.context().setOffline(true);
        return () => page.context().setOffline(false);
      },
    ],
    ['429', 'Too many requests: the gateway asks to wait.', async (page: Page) => answerWith(page, 429)],
    ['503', 'The gateway cannot answer now.', async (page: Page) => answerWith(page, 503)],
  ] as const)('%s: says so, shows what it has, and recovers by itself', async (_name, words, breakIt) => {
    const page = await stack().open('admin', '/identities');
    await page.getByRole('button', { name: 'auditor@local', exact: true }).waitFor();
    const repair = await breakIt(page);
    await page.getByRole('link', { name: 'Locks' }).click();
    await page.getByText(words).first().waitFor();
    await page.getByRole('heading', { name: 'Identities' }).waitFor();
    await repair();
    await page.getByRole('heading', { name: 'Nothing is locked' }).waitFor();
    await page.getByText(words).first().waitFor({ state: 'detached' });
  });

  it('the gateway restarts: the page goes on', async () => {
    const { gateway } = stack();
    const page = await stack().open('admin', '/identities');
    await page.getByRole('button', { name: 'auditor@local', exact: true }).waitFor();
    await gateway.stop();
    await page.getByRole('link', { name: 'Locks' }).click();
    await page.getByText('The gateway does not answer.').waitFor();
    await gateway.up();
    await page.getByRole('heading', { name: 'Nothing is locked' }).waitFor();
  });

  it('the first view is at most 200 KB of scripts, and nothing in it moves', async () => {
    const page = await stack().open('auditor', '/start');
    await page.getByRole('link', { name: 'First steps' }).waitFor();
    await page.reload({ waitUntil: 'networkidle' });
    // Compressed, also of a file in the cache of the browser.
    const sizes = await page.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .flatMap((entry) => (entry instanceof PerformanceResourceTiming && entry.name.endsWith('.js') ? [entry.encodedBodySize] : [])),
    );
    const sum = sizes.reduce((all, size) => all + size, 0);
    expect(sum).toBeGreaterThan(FIRST_VIEW_BYTES / 4);
    expect(sum).toBeLessThanOrEqual(FIRST_VIEW_BYTES);
    for (const path of ['/start', '/runs', '/search', '/access', '/policies', '/identities', '/approvals', '/health', '/evidence']) {
      await page.goto(`${stack().gateway.url}/.lictor/console${path}`, { waitUntil: 'networkidle' });
      expect([path, await layoutShift(page)]).toEqual([path, expect.toSatisfy((shift: number) => shift < 0.05)]);
    }
  });
}

async function signIn(page: Page, { name, password }: Account): Promise<void> {
  await page.fill('#username', name);
  await page.fill('#password', password);
  await page.getByRole('button', { name: 'Sign in' }).click();
}

/** As nginx does: with Retry-After. */
async function answerWith(page: Page, status: number): Promise<() => Promise<void>> {
  const json = { detail: 'Not now.', code: 'limited', hint: '', request_id: 'r' };
  await page.route('**/api/v1/**', (route) => route.fulfill({ status, json, headers: { 'retry-after': '1' } }));
  return () => page.unroute('**/api/v1/**');
}

/** The sum of all shifts since the page was loaded. */
function layoutShift(page: Page): Promise<number> {
  return page.evaluate(`new Promise((resolve) => {
    let sum = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => { sum += entry.value; })).observe({ type: 'layout-shift', buffered: true });
    requestAnimationFrame(() => setTimeout(() => resolve(sum), 0));
  })`);
}
