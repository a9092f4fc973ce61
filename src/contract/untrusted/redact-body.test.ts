// Bodies for agents: a long text is redacted in steps, and comes back whole.
import { expect, it } from 'vitest';
import type { Redactor } from './redact.ts';
import { redactBody } from './redact-body.ts';

const SECRET = 'sesame-sesame';

/** Replaces one word, and counts how it is called. */
function counting(): { readonly redactor: Redactor; readonly longest: () => number; readonly calls: () => number } {
  const lengths: number[] = [];
  const redactor: Redactor = {
    redact(texts) {
      lengths.push(texts.reduce((sum, text) => sum + (text?.length ?? 0), 0));
      return texts.map((text) => {
        const parts = (text ?? '').split(SECRET);
        return { text: parts.join('[redacted]'), redactions: parts.length - 1 };
      });
    },
  };
  return { redactor, longest: () => Math.max(...lengths), calls: () => lengths.length };
}

it('redacts one long text in steps, and loses no letter of it', async () => {
  const { redactor, longest, calls } = counting();
  const line = `${'x'.repeat(90)} ${SECRET}\n`;
  const text = line.repeat(10_000);
  const { body, redactions } = await redactBody(Buffer.from(JSON.stringify({ id: 1, text, short: SECRET })), 'application/json', redactor);
  expect(redactions).toBe(10_001);
  expect(JSON.parse(body.toString())).toEqual({ id: 1, text: text.replaceAll(SECRET, '[redacted]'), short: '[redacted]' });
  expect(calls()).toBeGreaterThan(2);
  expect(longest()).toBeLessThan(310_000);
});

it('returns a long text without white space as it is', async () => {
  const { redactor, longest } = counting();
  const given = Buffer.from(JSON.stringify({ text: 'x'.repeat(1_000_000), name: SECRET }));
  const { body } = await redactBody(given, 'application/json', redactor);
  expect(body.toString()).toBe(given.toString().replace(SECRET, '[redacted]'));
  expect(longest()).toBeLessThan(310_000);
});
