// Evidence: a report with progress, its files, its form on paper, and the proof of the ledger.
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { type Stack, violations } from '../stack.ts';

export function walkEvidence(stack: () => Stack): void {
  it('makes the report of a period in the address, saves its files, and prints it without the console', async () => {
    const { browser } = stack();
    const day = new Date().toISOString().slice(0, 10);
    const page = await stack().open('auditor', `/evidence?from=${day}&to=${day}`);
    await page.getByRole('button', { name: 'Make the report' }).click();
    await page.getByText('The ledger is complete and unchanged.').waitFor();
    await page.getByRole('heading', { name: 'Access review and audit evidence' }).waitFor();
    const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'report.html' }).click()]);
    expect(await readFile(await saved.path(), 'utf8')).toContain('auditor@local');
    await browser.shoot(page, 'evidence-report');
    // One row is like the next, and the checks of all of them take half a minute.
    await page.evaluate(`document.querySelectorAll('.report tbody tr:nth-child(n+4)').forEach((row) => row.remove())`);
    expect(await violations(page)).toEqual([]);
    await page.emulateMedia({ media: 'print' });
    expect([await page.getByRole('button', { name: 'Make the report' }).isVisible(), await page.getByRole('link', { name: 'Health' }).isVisible()]).toEqual([
      false,
      false,
    ]);
    await page.emulateMedia({ media: 'screen', colorScheme: 'dark' });
    for (const width of [375, 320]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBeLessThanOrEqual(0);
    }
    expect(await violations(page)).toEqual([]);
    await browser.shoot(page, 'evidence-dark-320');
  });

  it('verifies the ledger alone, and is not for an operator of a team', async () => {
    const page = await stack().open('admin', '/evidence');
    const days = [29, 0].map((before) => new Date(Date.now() - before * 86_400_000).toISOString().slice(0, 10));
    expect([await page.getByLabel('First day').inputValue(), await page.getByLabel('Last day').inputValue()]).toEqual(days);
    await page.getByRole('region', { name: 'Is the ledger complete?' }).getByText('newest records intact').waitFor();
    await page.goto(`${stack().gateway.url}/.lictor/console/search`);
    await page.getByRole('link', { name: 'Verify all of it' }).click();
    await page.getByText(/^Yes\. The ledger is complete and unchanged\. [\d,]+ records and [\d,]+ checkpoints? were verified, your own requests/).waitFor();
    await page.getByText('Two things this cannot see:').waitFor();
    const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Download head.json' }).click()]);
    expect(await stack().gateway.lictorOk('audit', 'verify', '--head', await saved.path())).toContain('no record was edited');
    await stack().browser.shoot(page, 'evidence-verified');
    const other = await stack().open('operator', '/evidence');
    await other.getByText('It needs the right access.read.').waitFor();
  });
}
