import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ANSWER_MOST, finishAnswer, TEXT_MOST } from './answer.ts';
import { disguises, INSTRUCTION, invisibleCharacters } from './disguises.fixture.ts';
import { openRedactor, type Redactor } from './redact.ts';

const schema = z.strictObject({
  id: z.null(),
  untrusted_text: z.strictObject({ source: z.string(), name: z.string(), parameters: z.json() }),
});

let redactor: Redactor;
beforeAll(async () => {
  redactor = await openRedactor({ known: ['hunter2-of-prefect'] });
});

/** An answer in which the author has written `text` wherever an author can. */
function answerWith(text: string) {
  const untrusted_text = { source: 'flow run', name: text, parameters: { [text]: [text, { deep: text }] } };
  return schema.parse(finishAnswer({ id: null, untrusted_text }, redactor).answer);
}

/** All texts of a value, its keys too. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [key, ...textsOf(item)]);
}

describe('an answer for an agent', () => {
  it('has facts as they are, and text with its source', () => {
    const run = { id: 'a', count: 2, runs: [{ state_type: 'FAILED', untrusted_text: { source: 'flow run', name: 'nightly', retries: 3, none: null } }] };
    expect(finishAnswer(run, redactor)).toEqual({ answer: run, redactions: 0, cut: 0 });
  });

  it.each(Object.entries(disguises()))('has nothing of an instruction in the disguise "%s" that a reader does not see', (_name, text) => {
    for (const each of textsOf(answerWith(text))) {
      expect(each).not.toMatch(invisibleCharacters);
      expect(each.isWellFormed()).toBe(true);
    }
  });

  it.each(['ANSI colours', 'bidi controls', 'zero-width letters', 'tag characters', 'variation selectors', 'title of the terminal'])(
    'shows an instruction in %s as it reads, or not at all',
    (name) => {
      expect(['', INSTRUCTION]).toContain(answerWith(disguises()[name] ?? '').untrusted_text.name.trim());
    },
  );

  it('ends a long text, and says how much is missing', () => {
    const { answer, cut } = finishAnswer({ untrusted_text: { source: 'log', message: 'a'.repeat(TEXT_MOST + 50_000) } }, redactor);
    expect(cut).toBe(1);
    expect(JSON.stringify(answer)).toMatch(/a \[cut: 50000 more characters\]"/);
    expect(JSON.stringify(answer).length).toBeLessThan(TEXT_MOST + 200);
  });

  it('ends a long answer', () => {
    const logs = Array.from({ length: 100 }, () => ({ untrusted_text: { source: 'log', message: 'b '.repeat(TEXT_MOST / 2) } }));
    const { answer, cut } = finishAnswer(logs, redactor);
    expect(JSON.stringify(answer).length).toBeLessThan(ANSWER_MOST + 100 * 100);
    expect(cut).toBeGreaterThan(80);
  });

  it('does not swell by many tiny texts after its bound', () => {
    const lists = Array.from({ length: 20 }, () => Array.from({ length: 1000 }, () => 'tiny'));
    const logs = [...Array.from({ length: 13 }, () => 'b '.repeat(TEXT_MOST / 2)), ...lists];
    const { answer, cut } = finishAnswer({ untrusted_text: { source: 'log', logs } }, redactor);
    expect(JSON.stringify(answer).length).toBeLessThan(ANSWER_MOST + 20_000 * '"[cut]",'.length + 1000);
    expect(cut).toBe(20_001);
  });

  it('ends deep and wide structures', () => {
    let deep: unknown = 'end';
    for (let index = 0; index < 5000; index += 1) deep = { deep };
    const { answer } = finishAnswer({ untrusted_text: { source: 'flow run', deep, wide: Array.from({ length: 3000 }, () => 1) } }, redactor);
    expect(JSON.stringify(answer)).toContain('[cut: too deep]');
    expect(JSON.stringify(answer)).toContain('[cut: 2000 more items]');
  });

  it('redacts a secret that the bound would cut, and one between invisible characters', () => {
    const secret = `AKIA${randomBytes(8).toString('hex').toUpperCase()}`;
    for (const text of [
      `${'x '.repeat(TEXT_MOST / 2 - 5)}${secret} end`,
      [...secret].join('\u200b'),
      `\u001b[1m${secret.slice(0, 9)}\u001b[0m${secret.slice(9)}`,
    ]) {
      const { answer, redactions } = finishAnswer({ untrusted_text: { source: 'log', message: text } }, redactor);
      expect(redactions).toBe(1);
      expect(JSON.stringify(answer)).not.toContain(secret.slice(0, 9));
    }
  });

  it('shows no part of a secret that its own reading bound cuts', () => {
    const password = randomBytes(16).toString('hex');
    const address = `https://etl:${password}@db.internal/`;
    const token = `eyJhbGciOiJub25lIn0.${'a'.repeat(7000)}.`;
    const upToAddress = (length: number): string => `${token} ${token} `.padEnd(length - address.indexOf('@'), 'x ');
    const texts = [
      // The tokens make room, so that what was read beyond the bound is shown.
      `${upToAddress(TEXT_MOST + 9000)}${address}${'y '.repeat(10_000)}`,
      // Few of many characters are visible.
      `${'z '.repeat(500)}${address}${'y'.repeat(9000 - '@db.internal/'.length)}`.padEnd(250_000, '\u200b'),
      `${'z '.repeat(500)}${address}${'y'.repeat(9000 - '@db.internal/'.length)}`.padStart(250_000, '\u200b'),
    ];
    for (const message of texts) {
      const { answer } = finishAnswer({ untrusted_text: { source: 'log', message } }, redactor);
      expect(JSON.stringify(answer)).not.toContain(password.slice(0, 6));
    }
  });

  it('shows nothing of a text that invisible characters fill', () => {
    const secret = `AKIA${randomBytes(8).toString('hex').toUpperCase()}`;
    const { answer } = finishAnswer({ untrusted_text: { source: 'log', message: `${'\u200b'.repeat(199_990)}${secret}` } }, redactor);
    expect(JSON.stringify(answer)).not.toContain(secret.slice(0, 6));
  });

  it('redacts the values of parameters with the name of a secret', () => {
    const { answer, redactions } = finishAnswer(
      { untrusted_text: { source: 'flow run', parameters: { db_password: 'short', apiKey: { value: 'x' }, region: 'eu' } } },
      redactor,
    );
    expect(redactions).toBe(2);
    expect(answer).toMatchObject({
      untrusted_text: { parameters: { db_password: '[redacted: named secret]', apiKey: { value: '[redacted: named secret]' }, region: 'eu' } },
    });
  });

  it('redacts numbers that are passwords, and no other numbers', () => {
    const parameters = {
      password: 12345678,
      'db-pass': [1, { pin: 2 }],
      env: [{ name: 'DB_PASSWORD', value: 3 }],
      schema: { passcode: { type: 'integer', position: 4, default: 5 } },
    };
    const others = { max_tokens: 4096, credentials: { port: 5432 }, retries: 3, env: [{ name: 'PORT', value: 6 }], password: { type: 'integer', position: 0 } };
    const { answer, redactions } = finishAnswer({ untrusted_text: { source: 'flow run', parameters, others } }, redactor);
    const gone = '[redacted: named secret]';
    expect(redactions).toBe(5);
    expect(answer).toEqual({
      untrusted_text: {
        source: 'flow run',
        parameters: {
          password: gone,
          'db-pass': [gone, { pin: gone }],
          env: [{ name: 'DB_PASSWORD', value: gone }],
          schema: { passcode: { type: 'integer', position: 4, default: gone } },
        },
        others,
      },
    });
  });

  it('redacts the value of a pair whose name is that of a secret', () => {
    const env = [
      { name: 'DB_PASSWORD', value: 'correct horse' },
      { key: 'api-token', value: { text: 'battery' } },
      { name: 'REGION', value: 'eu' },
    ];
    const { answer, redactions } = finishAnswer({ untrusted_text: { source: 'flow run', parameters: { env } } }, redactor);
    expect(redactions).toBe(2);
    expect(answer.untrusted_text.parameters.env).toEqual([
      { name: 'DB_PASSWORD', value: '[redacted: named secret]' },
      { key: 'api-token', value: { text: '[redacted: named secret]' } },
      { name: 'REGION', value: 'eu' },
    ]);
  });

  it('redacts a secret value beside a type, and leaves the schema of a secret', () => {
    const schema = { type: 'object', title: 'Credentials', properties: { user: { type: 'string' } }, required: ['user'], default: { user: 'etl' } };
    const parameters = { db_credentials: { type: 'postgres', password: 'correct horse', value: 'battery' }, credentials: schema };
    const { answer, redactions } = finishAnswer({ untrusted_text: { source: 'flow run', parameters } }, redactor);
    expect(redactions).toBe(3);
    expect(answer).toMatchObject({
      untrusted_text: {
        parameters: {
          db_credentials: { password: '[redacted: named secret]', value: '[redacted: named secret]' },
          credentials: { ...schema, default: { user: '[redacted: named secret]' } },
        },
      },
    });
  });
});
