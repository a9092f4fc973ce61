// Health and traffic: what the gateway depends on, and requests that show up while one watches.
import { expect, it } from 'vitest';
import { fitsInAllSizes } from '../sizes.ts';
import { type Stack, violations } from '../stack.ts';

export function walkHealth(stack: () => Stack): void {
  it('shows servers, providers, the ledger, and a principal that begins to send requests', async () => {
    const { gateway } = stack();
    const page = await stack().open('auditor', '/health');
    await page.getByText('Everything works').waitFor();
    await page.getByRole('region', { name: 'Prefect server' }).getByText('answers').waitFor();
    await page.getByRole('region', { name: 'Identity providers' }).getByText('accounts').waitFor();
    await page.getByRole('region', { name: 'Ledger and exports' }).getByText('are written').waitFor();
    await page.getByRole('img', { name: /^Requests in 15 s/ }).waitFor();
    const { secret } = await gateway.token('health-reader', ['viewer']);
    for (let sent = 0; sent < 20; sent += 1) await gateway.fetch('/api/flows/count', { method: 'POST', token: secret });
    await page.getByRole('region', { name: 'Busiest principals' }).getByText('token:health-reader').waitFor();
    await fitsInAllSizes(stack(), page, 'health');
  });

  it('is absent for a viewer, and says which right is missing', async () => {
    const page = await stack().open('viewer', '/health');
    await page.getByText('It needs the right gateway.read.').waitFor();
    expect(await page.getByRole('link', { name: 'Health' }).count()).toBe(0);
    expect(await violations(page)).toEqual([]);
  });
}
