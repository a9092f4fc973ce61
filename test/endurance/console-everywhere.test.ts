// Each view of the console, empty and with objects, and each open panel and dialog: in both themes, wide and at 400 % zoom.
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type Stack, startStack } from '../integration/console/stack.ts';
import { ADDRESSES, FORMS, fitsInForms } from '../integration/console/walks/everywhere.ts';
import { draftOn, fill, OPEN } from './console-filled.ts';

let stack: Stack;
beforeAll(async () => {
  stack = await startStack();
});
afterEach(async () => {
  await stack.closePages();
  expect(stack.misdeeds()).toEqual([]);
});
afterAll(() => stack?.close());

it.each(ADDRESSES)('%s, empty', async (address) => {
  const page = await stack.open('admin', address);
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.waitForLoadState('networkidle');
  await fitsInForms(stack, page, { name: address, forms: FORMS });
});

/** For a page with its objects. */
const SHOWN_MS = 20_000;

const places: Record<string, string> = {};

it('objects of every kind', async () => {
  Object.assign(places, await fill(stack));
});

it.each(OPEN)('$address', async ({ address, shows, base }) => {
  const page = await stack.open('admin', base === undefined ? at(address) : '/start');
  if (base !== undefined) {
    await page.evaluate(draftOn(Number(places[base])));
    await page.goto(`${stack.gateway.url}/.lictor/console${at(address)}`);
  }
  await page.getByText(shows).filter({ visible: true }).first().waitFor({ timeout: SHOWN_MS });
  await fitsInForms(stack, page, { name: `/filled${address}`, forms: FORMS });
});

function at(address: string): string {
  return address.replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
    const place = places[name];
    if (place === undefined) throw new Error(`nothing is known as ${name}`);
    return encodeURIComponent(place);
  });
}
