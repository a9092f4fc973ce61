// Each view, also at 400 % zoom: it fits, and breaks no rule of WCAG 2.2 A and AA. The walk of a view has its other sizes; test/endurance has all forms, panels and dialogs.
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { type Stack, violations } from '../stack.ts';

export const ADDRESSES = [
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

interface Form {
  readonly theme: 'light' | 'dark';
  readonly width: number;
}

/** The narrowest, in the theme that the other walks have least. */
const HARDEST: Form = { theme: 'dark', width: 320 };
/** All, for test/endurance. */
export const FORMS: readonly Form[] = (['light', 'dark'] as const).flatMap((theme) => [1280, 320].map((width) => ({ theme, width })));

export function walkEverywhere(stack: () => Stack): void {
  it.each(ADDRESSES)('%s', async (address) => {
    const page = await stack().open('admin', address, HARDEST);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await page.waitForLoadState('networkidle');
    await fitsInForms(stack(), page, { name: address, forms: [HARDEST] });
  });
}

interface Checked {
  /** Of the pictures. */
  readonly name: string;
  readonly forms: readonly Form[];
}

export async function fitsInForms({ browser }: Stack, page: Page, { name, forms }: Checked): Promise<void> {
  const picture = `every-${name.replaceAll(/\W+/g, '-').slice(1)}`;
  for (const { theme, width } of forms) {
    await page.emulateMedia({ colorScheme: theme });
    await page.setViewportSize({ width, height: 900 });
    await browser.shoot(page, `${picture}-${theme}-${width}`);
    expect([theme, width, await violations(page)]).toEqual([theme, width, []]);
    expect([width, await page.evaluate('document.documentElement.scrollWidth')]).toEqual([width, expect.toSatisfy((shown: number) => shown <= width)]);
  }
}
