// One page at several sizes, in both themes: it is accessible, and nothing is wider than the window.
import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { type OpenOptions, type Stack, violations } from './stack.ts';

/** 320 pixels are what 400 % zoom leaves of 1280. The layout there is that at 375, whose accessibility is checked. */
const SIZES: readonly Required<OpenOptions>[] = [
  { theme: 'dark', width: 1280 },
  { theme: 'light', width: 375 },
  { theme: 'dark', width: 320 },
];

/** Saves a picture of each, as `NAME-THEME-WIDTH`. */
export async function fitsInAllSizes({ browser }: Stack, page: Page, name: string): Promise<void> {
  for (const { theme, width } of SIZES) {
    await page.emulateMedia({ colorScheme: theme });
    await page.setViewportSize({ width, height: 900 });
    if (width !== 320) expect([theme, width, await violations(page)]).toEqual([theme, width, []]);
    expect([width, await page.evaluate('document.documentElement.scrollWidth <= innerWidth')]).toEqual([width, true]);
    await browser.shoot(page, `${name}-${theme}-${width}`);
  }
}
