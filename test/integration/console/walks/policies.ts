// Policies: written in the browser, their effect seen before they apply, applied, and rolled back.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { type Stack, violations } from '../stack.ts';

const FREEZE = `@id("no-reads-of-flows")
@description("Nothing but a test")
forbid (principal == Principal::"token:console-frozen", action == Action::"flows.read", resource);
`;
const DENIED = 37;

export function walkPolicies(stack: () => Stack): void {
  it('names the requests that a draft would deny, applies it, and rolls back', async () => {
    const { gateway, browser } = stack();
    const { secret } = await gateway.token('console-frozen', ['viewer']);
    const read = async () =>
      (await gateway.fetch('/api/flows/filter', { method: 'POST', token: secret, body: '{}', headers: { 'content-type': 'application/json' } })).status;
    for (let count = 0; count < DENIED; count += 1) expect(await read()).toBe(200);
    const page = await stack().open('admin', '/policies');
    await page.getByRole('button', { name: 'Write the first one' }).click();
    expect(await violations(page)).toEqual([]);
    await browser.shoot(page, 'policies-new-file');
    await page.getByLabel('Name').fill('freeze.cedar');
    await page.keyboard.press('Enter');
    await write(page, 'forbid (principal, action');
    await page
      .getByText(/freeze\.cedar:1/)
      .first()
      .waitFor();
    await browser.shoot(page, 'policies-problem');
    await write(page, 'forbid (principal == Principal::');
    await page.keyboard.type('"console-fr');
    await page.getByRole('option', { name: 'token:console-frozen' }).waitFor();
    await browser.shoot(page, 'policies-completion');
    await write(page, FREEZE.replace('token:console', 'token:consoel'));
    await page.getByText('no such principal "token:consoel-frozen": did you mean token:console-frozen?').first().waitFor();
    await write(page, FREEZE);
    await page.getByRole('link', { name: 'Effect', exact: true }).click();
    await page.getByText(`${DENIED} requests of token:console-frozen would be denied if you apply this.`).waitFor();
    await page.getByText('1 file changed, freeze.cedar').waitFor();
    await page.getByRole('region', { name: 'Difference of freeze.cedar' }).getByText('forbid (principal').waitFor();
    const group = page.getByRole('group').filter({ hasText: 'token:console-frozen' });
    await group.getByText(String(DENIED), { exact: true }).first().waitFor();
    await group.getByText(String(DENIED), { exact: true }).first().click();
    await group.getByText('answered 200').first().waitFor();
    await page.getByText(/The ledger begins later, at/).waitFor();
    await page.getByText('A principal that loses a right without having used it').waitFor();
    await browser.shoot(page, 'policies-effect');
    expect(await violations(page)).toEqual([]);

    await page.getByRole('button', { name: 'Review and apply' }).click();
    await page.getByRole('dialog').getByRole('textbox').fill('a freeze of the console test');
    await browser.shoot(page, 'policies-apply');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: 'Apply', exact: true }).click();
    await page.getByText(/is in force\./).waitFor();
    expect(await read()).toBe(403);

    await page.getByRole('link', { name: 'History', exact: true }).click();
    await browser.shoot(page, 'policies-history');
    expect(await violations(page)).toEqual([]);
    await page
      .getByRole('button', { name: /^Roll back/ })
      .first()
      .click();
    await page.getByRole('dialog').getByRole('textbox').fill('the test is over');
    await page
      .getByRole('dialog')
      .getByRole('button', { name: /^Roll back/ })
      .click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await read()).toBe(200);
  });

  it('says what a pasted policy would break, with two clicks from Policies', async () => {
    const { gateway, accounts } = stack();
    const session = await gateway.login(accounts.operator);
    await gateway.fetch('/api/flows/filter', { method: 'POST', session, body: '{}', headers: { 'content-type': 'application/json' } });
    await gateway.lictorOk('audit', '--principal', 'operator@local', '--action', 'flows.read', '--last', '1');
    const page = await stack().open('auditor', '/policies');
    await page.getByRole('link', { name: 'Effect', exact: true }).click();
    await page.getByLabel('Policy').fill('forbid (principal == Principal::"operator@local", action == Action::"flows.read", resource);');
    expect(await violations(page)).toEqual([]);
    await page.getByRole('button', { name: 'Show its effect' }).click();
    await page.getByText(/^\d+ requests? of operator@local would be denied if you apply this/).waitFor();
    expect(await violations(page)).toEqual([]);
    await stack().browser.shoot(page, 'policies-pasted');
  });

  it('twin: an auditor reads and simulates, and may not apply', async () => {
    const page = await stack().open('auditor', '/policies', { theme: 'dark', width: 375 });
    await page.getByRole('heading', { name: 'Policies', exact: true }).waitFor();
    const apply = page.getByRole('button', { name: 'Review and apply', description: /admin/ });
    expect(await apply.getAttribute('aria-disabled')).toBe('true');
    await page.getByText(/policies\.write/).waitFor();
    expect(await page.getByText('Nothing is changed.').count()).toBe(0);
    expect(await violations(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    await stack().browser.shoot(page, 'policies-phone-dark');
  });
}

/** Replaces the text of the editor. */
async function write(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: /freeze/ }).click();
  await page.keyboard.press('ControlOrMeta+A');
  await page.keyboard.insertText(text);
}
