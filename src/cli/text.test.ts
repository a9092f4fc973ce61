import { expect, it } from 'vitest';
import { jsonText, printable, quantity } from './text.ts';

/** C1's CSI, DEL, a direction override, a line separator: JSON.stringify escapes none of them. */
const HOSTILE = 'a\u009b2J\u007f\u202e\u2028\u00adz';

it('writes JSON that no terminal obeys and every reader gets back whole', () => {
  const text = jsonText({ user_agent: HOSTILE, [HOSTILE]: 1, plain: 'Zürich 日本 😀\u001b' });
  expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  expect(JSON.parse(text)).toEqual({ user_agent: HOSTILE, [HOSTILE]: 1, plain: 'Zürich 日本 😀\u001b' });
  expect(text).toContain('Zürich 日本 😀');
});
it('escapes what lies beyond the first plane as two', () => {
  expect(JSON.parse(jsonText('\u{e0041}'))).toBe('\u{e0041}');
  expect(jsonText('\u{e0041}')).toBe('"\\udb40\\udc41"');
});
it('replaces the same characters in text for people', () => {
  expect(printable(HOSTILE)).toBe('a\ufffd2J\ufffd\ufffd\ufffd\ufffdz');
});

it('counts one thing as one', () => {
  expect([0, 1, 2, 1_200].map((count) => quantity(count, 'checkpoint'))).toEqual(['0 checkpoints', '1 checkpoint', '2 checkpoints', '1,200 checkpoints']);
});
