import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { PAGE_SECURITY_POLICY, renderPageMaps, renderPages, renderPageText } from './render-pages.ts';

const PARTS = ['refusals.conf', 'service-refusals.conf'].map((name) => readFileSync(join(import.meta.dirname, '../../../nginx', name), 'utf8'));
const REFUSALS = PARTS.flatMap((text) => [...text.matchAll(/^location (.+?) \{\n(.*?)^\}/gms)]).flatMap(([, name = '', block = '']) => {
  const status = /return (\d+) '\{"detail"/.exec(block)?.[1];
  return status === undefined ? [] : [[name, status, block] as const];
});

describe('pages of refusals', () => {
  it.each(REFUSALS.filter(([name]) => !['@not_found_closing', '@other_method'].includes(name)))(
    '%s, %s as JSON, is the same status as a page',
    (_name, status, block) => {
      expect(block).toMatch(/set \$lictor_page_text "[^"]+";\n/);
      expect(block).toContain(`if ($lictor_navigation) { rewrite ^ /.lictor-page/${status} last; }`);
      expect(renderPages()).toContain(`location = /.lictor-page/${status} {\n    internal;\n`);
    },
  );

  it('are all of those that nginx makes', () => expect(REFUSALS.length).toBeGreaterThan(15));

  it('have a style that is whole in its parts, none too long for nginx, and named in the policy by its hash', () => {
    const parts = [...renderPageMaps().matchAll(/\$lictor_page_style_\d \{ default "(.*)"; \}/g)].map(([, part = '']) => part);
    expect(Math.max(...parts.map(({ length }) => length))).toBeLessThan(4000);
    const style = parts.join('').replaceAll('\\"', '"');
    expect(style).toContain('--accent');
    expect(PAGE_SECURITY_POLICY).toContain(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`);
    expect(renderPageText({ title: 't', text: 'x', code: 'c', requestId: 'r' }).length).toBeLessThan(4000);
  });
});
