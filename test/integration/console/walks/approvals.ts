// Approvals: a request of an agent shows up while its sponsor watches, beside the usual arguments, and is decided with the keyboard.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { fitsInAllSizes } from '../sizes.ts';
import { type Stack, violations } from '../stack.ts';
import { pressOn } from './identities.ts';

export function walkApprovals(stack: () => Stack): void {
  let token = '';

  async function send(parameters: object): Promise<{ readonly status: number; readonly id: string }> {
    const { gateway, teams } = stack();
    token ||= (await gateway.token('copilot', [])).secret;
    const headers = { 'content-type': 'application/json' };
    const answer = await gateway.fetch(`/api/deployments/${teams.a.deployment}/create_flow_run`, {
      method: 'POST',
      token,
      headers,
      body: JSON.stringify({ parameters }),
    });
    const body = parseJson(await answer.text());
    return { status: answer.status, id: String(body['approval_id'] ?? '') };
  }

  it('a request shows up while the sponsor watches, and is approved with the keyboard alone', async () => {
    const { server, teams, browser } = stack();
    await server.post(`/deployments/${teams.a.deployment}/create_flow_run`, { parameters: { region: 'eu' } });
    const page = await stack().open('admin', '/approvals');
    await page.getByRole('heading', { name: 'No request waits' }).waitFor();
    const asked = { region: 'moon', note: '<img src=x onerror=alert(1)> \u202Eexe' };
    expect((await send(asked)).status).toBe(403);
    await page.getByRole('button', { name: /^start runs of deployments/i }).focus();
    await page.keyboard.press('Enter');
    const panel = page.getByRole('region', { name: /^start runs of deployments/i });
    await panel.getByText('new value').first().waitFor();
    await panel
      .getByText(/^0 of \d+ had this value/)
      .first()
      .waitFor();
    expect(await panel.locator('.usual mark').textContent()).toBe('U+202E');
    expect(await violations(page)).toEqual([]);
    await browser.shoot(page, 'approvals-panel');
    await panel.getByRole('button', { name: 'Approve' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: 'Approve this request?' }).waitFor();
    await page.keyboard.type('checked with the team');
    expect(new URL(page.url()).searchParams.get('decide')).toBe('approve');
    expect(await violations(page)).toEqual([]);
    for (const _press of ['to Cancel', 'to Approve']) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await panel.getByText('approved, not used yet').waitFor();
    await panel.getByText('checked with the team').waitFor();
    expect((await send(asked)).status).toBe(201);
    await panel.getByText('approved, has run').waitFor();
  });

  it('a reason survives a login that is needed in between, and a denial reaches the requester', async () => {
    const { id } = await send({ region: 'mars' });
    const page = await stack().open('admin', `/approvals/${id}?decide=deny`);
    const old = { detail: 'This needs a login of the last five minutes.', code: 'login-not-recent', hint: '', request_id: 'r' };
    await page.route('**/deny', (route) => route.fulfill({ status: 403, json: old }), { times: 1 });
    await page.getByLabel('Reason').fill('not on a Friday');
    await submit(page, 'Deny');
    const link = page.getByRole('link', { name: 'Log in again' });
    expect(decodeURIComponent((await link.getAttribute('href')) ?? '')).toContain(`/approvals/${id}?decide=deny`);
    await page.reload();
    await page.getByLabel('Reason').waitFor();
    expect(await page.getByLabel('Reason').inputValue()).toBe('not on a Friday');
    await submit(page, 'Deny');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.getByText('not on a Friday').waitFor();
    await page.getByRole('link', { name: 'Decided' }).click();
    await page.getByRole('row').filter({ hasText: 'admin@local' }).getByText('denied').waitFor();
    expect((await send({ region: 'mars' })).status).toBe(403);
  });

  it('an auditor sees the request and why it is for another person; a viewer sees nothing', async () => {
    const { id } = await send({ region: 'venus' });
    const page = await stack().open('auditor', `/approvals/${id}`);
    const approve = page.getByRole('button', { name: 'Approve' });
    await approve.waitFor();
    const why = 'admin@local decides this request, as the sponsor of the agent.';
    expect(await approve.getAttribute('aria-disabled')).toBe('true');
    expect(await page.getByText(why).isVisible()).toBe(true);
    for (const name of ['Approve', 'Deny']) expect(await page.getByRole('button', { name, description: why }).count()).toBe(1);
    const other = await stack().open('viewer', '/approvals');
    await other.getByRole('heading', { name: 'No request waits' }).waitFor();
    expect((await other.content()).includes('venus')).toBe(false);
  });

  it('is accessible and fits in both themes, on a small screen, and at 400 % zoom', async () => {
    const { id } = await send({ region: `a-very-long-name-${'x'.repeat(200)}` });
    const page = await stack().open('admin', `/approvals/${id}`);
    await page.getByText('The whole request').waitFor();
    await fitsInAllSizes(stack(), page, 'approvals');
  });

  it('by keys alone: finds a denied run, explains its record, revokes a token, and approves a request', async () => {
    const { gateway, teams, accounts } = stack();
    const session = await gateway.login(accounts.viewer);
    await gateway.fetch(`/api/flow_runs/${teams.b.finishedRun}`, { method: 'DELETE', session });
    await gateway.lictorOk('audit', '--resource', teams.b.finishedRun, '--decision', 'deny', '--last', '1');
    await gateway.token('keys-alone', ['viewer']);
    expect((await send({ region: 'pluto' })).status).toBe(403);
    const page = await stack().open('admin', '/health');
    await page.getByRole('heading', { level: 1 }).waitFor();

    await pressOn(page, 'Who did what');
    await page.getByRole('combobox', { name: 'Search the records' }).waitFor();
    await pressOn(page, 'Search the records', 'End');
    await page.keyboard.type(`decision:deny object:${teams.b.finishedRun}`);
    await page.keyboard.press('Enter');
    await page.waitForURL(({ searchParams }) => searchParams.get('q')?.startsWith('decision:deny object:') === true);
    await page.getByRole('grid', { name: 'Records' }).getByText('viewer@local').first().waitFor();
    await pressOn(page, 'Records', 'ArrowDown');
    await page.keyboard.press('Enter');
    const record = page.getByRole('region', { name: 'Record', exact: true });
    await record.waitFor();
    await record.getByRole('heading', { name: 'What would change the answer' }).waitFor();
    expect(await violations(page)).toEqual([]);
    await stack().browser.shoot(page, 'keys-explained');

    await pressOn(page, 'Identities');
    await page.getByRole('link', { name: 'Service tokens', exact: true }).waitFor();
    await pressOn(page, 'Service tokens');
    await page.getByRole('button', { name: 'Revoke keys-alone' }).waitFor();
    await pressOn(page, 'Revoke keys-alone');
    await pressOn(page, 'Revoke the token');
    await page.getByRole('button', { name: 'Revoke keys-alone' }).waitFor({ state: 'detached' });

    await pressOn(page, 'Approvals');
    const first = page.getByRole('button', { name: /^start runs of deployments/i }).first();
    await first.waitFor();
    await pressOn(page, ((await first.textContent()) ?? '').trim());
    await page.getByRole('button', { name: 'Approve' }).waitFor();
    await pressOn(page, 'Approve');
    await page.getByRole('dialog').waitFor();
    await pressOn(page, 'Approve');
    await page.getByText('approved, not used yet').first().waitFor();
  });
}

function parseJson(text: string): Readonly<Record<string, unknown>> {
  const body: unknown = JSON.parse(text);
  return typeof body === 'object' && body !== null ? { ...body } : {};
}

async function submit(page: Page, name: string): Promise<void> {
  await page.getByRole('dialog').getByRole('button', { name }).click();
}
