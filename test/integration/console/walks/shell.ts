// The frame of all views: navigation by rights, themes, small screens, login and logout.
import { expect, it } from 'vitest';
import { type Role, type Stack, violations } from '../stack.ts';

const NAVIGATION: Readonly<Record<Role, readonly string[]>> = {
  admin: ['Runs', 'Who did what', 'Access', 'Policies', 'Identities', 'Approvals', 'Health', 'Evidence', 'First steps', 'Prefect'],
  auditor: ['Runs', 'Who did what', 'Access', 'Policies', 'Identities', 'Approvals', 'Health', 'Evidence', 'First steps', 'Prefect'],
  operator: ['Runs', 'Who did what', 'Identities', 'Approvals', 'First steps', 'Prefect'],
  viewer: ['Identities', 'Approvals', 'First steps', 'Prefect'],
};

export function walkShell(stack: () => Stack): void {
  it.each(Object.entries(NAVIGATION))('shows the %s only the views of their rights', async (role, titles) => {
    const page = await stack().open(role as Role, '/');
    const links = page.getByRole('navigation', { name: 'Console' }).getByRole('link');
    await links.first().waitFor();
    expect((await links.allInnerTexts()).map((text) => text.trim())).toEqual(titles);
    await stack().browser.shoot(page, `shell-${role}`);
  });

  it('denies a view by its address, with the reason', async () => {
    const page = await stack().open('viewer', '/policies');
    await page.getByText('It needs the right access.read.').waitFor();
    expect(await violations(page)).toEqual([]);
  });
}
