// First steps: commands with this gateway's address, checked off as they happen.
import { expect, it } from 'vitest';
import { fitsInAllSizes } from '../sizes.ts';
import type { Stack } from '../stack.ts';

export function walkStart(stack: () => Stack): void {
  it('checks off a token that is created while one watches', async () => {
    const { gateway } = stack();
    const page = await stack().open('admin', '/start');
    await page.getByText(`lictor login ${gateway.url}`).waitFor();
    await page.getByText(`export PREFECT_API_URL=${gateway.url}/api`).waitFor();
    const step = page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: 'Create a token for a worker' }) });
    await gateway.token('start-worker', ['worker']);
    await step.getByText('done').waitFor();
    await page.getByText('A worker shows up here as soon as it connects.').waitFor();
    await fitsInAllSizes(stack(), page, 'start');
  });

  it('is the first view of a gateway without runs and workers, and only of that', async () => {
    const page = await stack().open('admin', '/health');
    await page.getByText('Everything works').waitFor();
    await page.route('**/api/v1/runs?*', (route) => route.fulfill({ json: { runs: [], next: null } }));
    await page.route('**/api/v1/health', async (route) => route.fulfill({ json: { ...(await (await route.fetch()).json()), workers: [] } }));
    await page.goto(`${stack().gateway.url}/.lictor/console/`);
    await page.getByRole('heading', { level: 1, name: 'First steps' }).waitFor();
    await page.unroute('**/api/v1/runs?*');
    await page.goto(`${stack().gateway.url}/.lictor/console/`);
    await page.getByRole('heading', { level: 1, name: 'Runs' }).waitFor();
  });

  it('shows a viewer the commands, and nothing about others', async () => {
    const { gateway } = stack();
    const page = await stack().open('viewer', '/start');
    await page.getByText(`lictor login ${gateway.url}`).waitFor();
    expect([await page.getByText('done', { exact: true }).count(), await page.getByText('start-worker').count()]).toEqual([0, 0]);
  });
}
