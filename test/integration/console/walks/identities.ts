// Identities: tokens by their use, created, rotated and revoked by keyboard; sessions, locks and sockets that end while one watches.
import { createHash } from 'node:crypto';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import type { Session } from '../../../env/browser-session.ts';
import { openSocket } from '../../../env/socket.ts';
import { fitsInAllSizes } from '../sizes.ts';
import { type Stack, violations } from '../stack.ts';

const statusOf = async ({ gateway }: Stack, token: string) => (await gateway.fetch('/api/flows/count', { method: 'POST', token })).status;

/** The id of a session, from its cookie. */
export const idOf = ({ cookie }: Session) =>
  createHash('sha256')
    .update(cookie.slice(cookie.indexOf('=') + 1))
    .digest('hex');

/** Tabs to the control with this name, and presses the key on it. */
export async function pressOn(page: Page, name: string, key = 'Enter'): Promise<void> {
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press('Tab');
    const focused = await page.evaluate(`(document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '').trim()`);
    if (focused === name) return page.keyboard.press(key);
  }
  throw new Error(`no control ${name} within 80 presses of Tab`);
}

export function walkIdentities(stack: () => Stack): void {
  it('answers at a glance which tokens nobody has used, as a link', async () => {
    const { gateway, browser } = stack();
    const used = await gateway.token('console-used', ['viewer']);
    await gateway.token('console-idle', ['viewer']);
    expect(await statusOf(stack(), used.secret)).toBe(200);
    const page = await stack().open('auditor', '/identities?tab=services');
    await page.getByRole('button', { name: /^Never used/ }).click();
    await page.getByRole('row').filter({ hasText: 'console-idle' }).getByText('never', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'console-used', exact: true }).waitFor({ state: 'detached' });
    expect(new URL(page.url()).search).toBe('?tab=services&used=never');
    expect(await violations(page)).toEqual([]);
    await page.goBack();
    await page.getByRole('row').filter({ hasText: 'console-used' }).getByText('127.0.0.1').waitFor();
    const revoke = page.getByRole('button', { name: 'Revoke console-idle' });
    expect(await revoke.getAttribute('aria-disabled')).toBe('true');
    const why = page.locator(`[id="${await revoke.getAttribute('aria-describedby')}"]`);
    expect(await why.isVisible()).toBe(false);
    for (const show of [() => revoke.focus(), () => revoke.click({ force: true })]) {
      await show();
      await why.filter({ hasText: 'admin' }).waitFor();
      await revoke.blur();
      await why.waitFor({ state: 'hidden' });
      await page.mouse.move(0, 0);
    }
    await revoke.focus();
    await browser.shoot(page, 'identities-tokens');
  });

  it('creates, rotates and revokes a token with the keyboard alone, and shows each secret once', async () => {
    const page = await stack().open('admin', '/identities?tab=services');
    await page.getByRole('heading', { name: 'Identities' }).waitFor();
    await pressOn(page, 'Create a token');
    await page.getByRole('dialog', { name: 'Create a service token' }).waitFor();
    await page.keyboard.type('console-keys');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Space');
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press('Enter');
    const first = await secretOf(page, 'console-keys');
    await pressOn(page, 'I have copied it');
    expect(await page.content()).not.toContain(first);
    expect(await statusOf(stack(), first)).toBe(200);

    await pressOn(page, 'Rotate console-keys');
    await pressOn(page, 'Rotate');
    const second = await secretOf(page, 'console-keys');
    await pressOn(page, 'I have copied it');
    expect([await statusOf(stack(), first), await statusOf(stack(), second)]).toEqual([200, 200]);

    await pressOn(page, 'Revoke console-keys');
    await pressOn(page, 'Revoke the token');
    await page.getByRole('button', { name: 'console-keys', exact: true }).waitFor({ state: 'detached' });
    expect([await statusOf(stack(), first), await statusOf(stack(), second)]).toEqual([401, 401]);
    const stored = await page.evaluate('JSON.stringify([{ ...localStorage }, { ...sessionStorage }])');
    for (const secret of [first, second]) expect(stored).not.toContain(secret);
  });

  it('ends a session and locks a person out, with a hostile reason shown as text', async () => {
    const { gateway, accounts } = stack();
    // Before the page: it lists the newest session first, and the walks before have left one of the same person.
    const other = await gateway.login(accounts.viewer);
    const page = await stack().open('admin', '/identities?who=viewer@local');
    const status = async () => (await gateway.fetch('/.lictor/api/v1/me', { session: other })).status;
    expect(await status()).toBe(200);
    const panel = page.getByRole('region', { name: 'viewer@local' });
    await panel.getByText('from account viewer').waitFor();
    await panel
      .getByText(/^logged in \d{4}-/)
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Lock viewer@local' }).waitFor();
    await panel.getByRole('button', { name: 'End', exact: true }).first().click();
    await page.waitForURL(({ searchParams }) => searchParams.get('on') === idOf(other));
    await page.getByRole('button', { name: 'End the session' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await status()).toBe(401);
    await panel.getByRole('button', { name: 'Lock', exact: true }).click();
    await page.getByLabel('Why').fill('<img src=x onerror=alert(1)> \u202Eexe');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Lock', exact: true }).click();
    await panel.getByText('locked', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Locks' }).click();
    await page.getByText('<img src=x onerror=alert(1)>').waitFor();
    expect((await gateway.lictorOk('locks')).includes('viewer@local')).toBe(true);
    await page.getByRole('button', { name: 'Unlock viewer@local' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Unlock' }).click();
    await page.getByRole('heading', { name: 'Nothing is locked' }).waitFor();
  });

  it('shows a socket while it is open, and closes it', async () => {
    const { gateway } = stack();
    const { secret } = await gateway.token('console-socket', ['admin']);
    const page = await stack().open('admin', '/identities?tab=sockets');
    await page.getByRole('heading', { name: 'Identities' }).waitFor();
    const socket = openSocket(gateway.url, '/api/events/out', { headers: { authorization: `Bearer ${secret}` }, first: { type: 'auth', token: secret } });
    await page.getByRole('button', { name: 'Close /api/events/out of token:console-socket' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Close the socket' }).click();
    expect(await socket.ended).toMatchObject({ code: 1012, reason: expect.stringContaining('socket-closed') });
    await page.getByRole('button', { name: 'Close /api/events/out of token:console-socket' }).waitFor({ state: 'detached' });
  });

  it('offers a login where the last one is too long ago, and has the text again after it', async () => {
    const page = await stack().open('admin', '/identities?tab=locks&do=lock');
    const old = { detail: 'This needs a login of the last five minutes.', code: 'login-not-recent', hint: '', request_id: 'r' };
    await page.route('**/api/v1/locks', (route) => (route.request().method() === 'POST' ? route.fulfill({ status: 403, json: old }) : route.continue()));
    await page.getByLabel('What').fill('address:198.51.100.7');
    await page.getByRole('dialog').getByRole('button', { name: 'Lock', exact: true }).click();
    const link = page.getByRole('link', { name: 'Log in again' });
    expect(decodeURIComponent((await link.getAttribute('href')) ?? '')).toContain('/identities?tab=locks&do=lock');
    await page.reload();
    await page.getByLabel('What').waitFor();
    expect(await page.getByLabel('What').inputValue()).toBe('address:198.51.100.7');
  });

  it('is accessible and fits in both themes, on a small screen, and at 400 % zoom', async () => {
    const page = await stack().open('admin', '/identities?tab=services&who=agent:copilot');
    await page.getByRole('region', { name: 'agent:copilot' }).getByText('lictor.yaml agents[0]').waitFor();
    await fitsInAllSizes(stack(), page, 'identities');
    expect(await violations(page)).toEqual([]);
  });

  it('shows a viewer the own sessions alone', async () => {
    const page = await stack().open('viewer', '/identities?tab=sockets');
    await page.getByRole('heading', { name: 'Your browsers' }).waitFor();
    expect(await page.getByRole('link', { name: 'Open sockets' }).count()).toBe(0);
    await page.getByText('this one').waitFor();
    expect(await violations(page)).toEqual([]);
  });
}

async function secretOf(page: Page, name: string): Promise<string> {
  const dialog = page.getByRole('dialog', { name: `The secret of ${name}` });
  const secret = (await dialog.locator('code').first().textContent()) ?? '';
  expect(await dialog.locator('code').nth(1).textContent()).toContain(`export PREFECT_API_AUTH_STRING=any:${secret}`);
  return secret;
}
