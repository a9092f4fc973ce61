// Each view in both themes, and at 400 % zoom: it fits, and breaks no rule of WCAG 2.2 A and AA. The walk of a view has its other sizes.
import { expect, it } from 'vitest';
import { type Stack, violations } from '../stack.ts';

const ADDRESSES = [
  '/runs',
  '/search',
  '/access',
  '/access?tab=who',
  '/policies',
  '/policies?tab=effect',
  '/policies?tab=history',
  '/identities',
  '/identities?tab=sessions',
  '/identities?tab=locks',
  '/approvals',
  '/health',
  '/evidence',
  '/start',
  '/no-such-view',
];

export function walkEverywhere(stack: () => Stack): void {
  it.each(ADDRESSES)('%s', async (address) => {
    const { browser } = stack();
    const page = await stack().open('admin', address);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForLoadState('networkidle');
    const name = address.replaceAll(/\W+/g, '-').slice(1);
    for (const [theme, width] of [
      ['light', 1280],
      ['dark', 320],
    ] as const) {
      await page.emulateMedia({ colorScheme: theme });
      await page.setViewportSize({ width, height: 900 });
      await browser.shoot(page, `every-${name}-${theme}-${width}`);
      expect([theme, width, await violations(page)]).toEqual([theme, width, []]);
      expect([width, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([width, expect.toSatisfy((shown: number) => shown <= width)]);
    }
  });
}
