// Who can do what: the matrix with keys alone, one cell explained, who can, unused rights, a pasted request; and those without the right.
import { expect, it } from 'vitest';
import { type Stack, violations } from '../stack.ts';

const SECRET = 'lct_0123456789secret';

export function walkAccess(stack: () => Stack): void {
  it('shows what roles may do, and explains a cell, by keys alone', async () => {
    const page = await stack().open('auditor', '/access');
    const grid = page.getByRole('grid', { name: 'Rights' });
    await grid.waitFor();
    expect(await violations(page)).toEqual([]);
    await stack().browser.shoot(page, 'access-matrix');
    await grid.locator('button[tabindex="0"]').focus();
    for (const key of ['End', 'Home', 'ArrowRight', 'ArrowDown', 'ArrowUp', 'ArrowLeft']) await page.keyboard.press(key);
    await page.getByText('role:viewer, deployments.run: denied', { exact: true }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'What would change the answer' }).waitFor();
    expect(new URL(page.url()).searchParams.get('who')).toBe('role:viewer');
    expect(await violations(page)).toEqual([]);
    await stack().browser.shoot(page, 'access-cell');
    await page.reload();
    await page.getByRole('heading', { name: 'What would change the answer' }).waitFor();
    await page.keyboard.press('Escape');
    await page.waitForURL(({ search }) => !search.includes('who='));
  });

  it('shows principals on a small screen and in the dark, for any object in a scope', async () => {
    const page = await stack().open('admin', '/access?rows=principals&on=tags%3Dteam-a&group=all', { theme: 'dark', width: 375 });
    await page.getByRole('button', { name: /^admin@local, flow_runs\.cancel: allowed$/ }).waitFor();
    expect(await violations(page)).toEqual([]);
    await stack().browser.shoot(page, 'access-small-dark');
    const wide = await stack().open('admin', '/access?rows=principals', { theme: 'dark' });
    await wide.getByRole('grid', { name: 'Rights' }).waitFor();
    expect(await violations(wide)).toEqual([]);
    await stack().browser.shoot(wide, 'access-principals-dark');
  });

  it('says who can, and which rights nobody used', async () => {
    const page = await stack().open('auditor', '/access?tab=who&action=flow_runs.cancel');
    await page.getByRole('table', { name: 'Who can' }).getByText('admin@local').waitFor();
    expect(await violations(page)).toEqual([]);
    await stack().browser.shoot(page, 'access-who');
    await page.getByRole('link', { name: 'Unused rights' }).click();
    await page.getByRole('table', { name: 'Use of roles' }).getByText('admin@local').first().waitFor();
    expect(await violations(page)).toEqual([]);
    await stack().browser.shoot(page, 'access-unused');
  });

  it('explains a pasted request, and shows no credential of it', async () => {
    const page = await stack().open('auditor', '/access?tab=request');
    await page.getByLabel('Principal').fill('role:viewer');
    const paste = `curl -H 'Authorization: Bearer ${SECRET}' -X DELETE /api/flow_runs/0199c0de-0000-7000-8000-000000000001`;
    await page.getByLabel('Request', { exact: true }).fill(paste);
    await page.getByRole('button', { name: 'Explain', exact: true }).click();
    const answer = page.getByRole('region', { name: 'Explanation' });
    await answer.getByText('flow_runs.delete').first().waitFor();
    expect(await answer.textContent()).not.toContain(SECRET);
    expect(page.url()).not.toContain(SECRET);
    expect(await violations(page)).toEqual([]);
    await stack().browser.shoot(page, 'access-request');
  });

  it('twin: is absent for a person without the right', async () => {
    const page = await stack().open('viewer', '/access');
    await page.getByText('It needs the right access.read.').waitFor();
    expect(await page.getByRole('grid').count()).toBe(0);
    expect(await violations(page)).toEqual([]);
  });
}
