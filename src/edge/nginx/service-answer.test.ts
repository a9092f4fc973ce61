// Headers that a service must not send: no header of the gateway from a service reaches a client.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import * as names from '../../contract/names.ts';

const PARTS = join(import.meta.dirname, '../../../nginx');
const textOf = (file: string): string => readFileSync(join(PARTS, file), 'utf8');

it('hides each X-Lictor-* name that the gateway uses', () => {
  const hidden = ['proxying.conf', 'service-answer.conf'].flatMap((file) =>
    [...textOf(file).matchAll(/^proxy_hide_header (\S+);/gm)].map(([, name = '']) => name.toLowerCase()),
  );
  const said = Object.values(names)
    .flatMap((value) => (typeof value === 'object' ? Object.values(value) : [value]))
    .filter((name) => typeof name === 'string' && name.startsWith('x-lictor-'));
  const written = readdirSync(PARTS).flatMap((file) => [...textOf(file).matchAll(/X-Lictor-[A-Za-z-]*[A-Za-z]/g)].map(([name]) => name.toLowerCase()));
  expect(said.length).toBeGreaterThan(20);
  expect(hidden).toEqual(expect.arrayContaining([...new Set([...said, ...written])]));
});
