import { randomBytes } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ANSWER_MOST, finishAnswer, TEXT_MOST, untrusted } from './answer.ts';
import { disguises, INSTRUCTION, invisibleCharacters } from './disguises.fixture.ts';
import { fact, STATE_TYPES } from './facts.ts';
import { openRedactor, type Redactor } from './redact.ts';
import { factSchema, untrustedSchema, untrustedString, untrustedValue } from './schemas.ts';

const ID = '01940000-0000-7000-8000-00000000000a';
const schema = z.strictObject({
  id: factSchema.uuid,
  state_type: factSchema.oneOf(STATE_TYPES),
  started: factSchema.time,
  runs: factSchema.number,
  untrusted_text: untrustedSchema({ name: untrustedString, parameters: untrustedValue }),
});

let redactor: Redactor;
beforeAll(async () => {
  redactor = await openRedactor(['hunter2-of-prefect']);
});

/** An answer in which the author has written `text` wherever an author can, and in places for facts too. */
function answerWith(text: string) {
  const run = { id: text, state_type: text, started: text, runs: text, name: text, parameters: { [text]: [text, { deep: text }] } };
  return finishAnswer(
    {
      id: fact.uuid(run.id),
      state_type: fact.oneOf(STATE_TYPES, run.state_type),
      started: fact.time(run.started),
      runs: fact.number(run.runs),
      untrusted_text: untrusted('flow run', { name: run.name, parameters: run.parameters }),
    },
    redactor,
  );
}

describe('an answer for an agent', () => {
  it('has facts of their form, and text with its source', () => {
    const finished = finishAnswer(
      { id: fact.uuid(ID), state_type: fact.oneOf(STATE_TYPES, 'FAILED'), untrusted_text: untrusted('flow run', { name: 'nightly' }) },
      redactor,
    );
    expect(finished).toEqual({ answer: { id: ID, state_type: 'FAILED', untrusted_text: { source: 'flow run', name: 'nightly' } }, redactions: 0, cut: 0 });
  });

  it.each(Object.entries(disguises()))('has an instruction in the disguise "%s" only in untrusted_text, without what a reader does not see', (_name, text) => {
    const { answer } = answerWith(text);
    const { untrusted_text: below, ...facts } = schema.parse(answer);
    expect(facts).toEqual({ id: null, state_type: null, started: null, runs: null });
    expect(JSON.stringify(below)).not.toMatch(invisibleCharacters);
    expect(below.source).toBe('flow run');
  });

  it.each(['ANSI colours', 'bidi controls', 'zero-width letters', 'tag characters', 'variation selectors', 'title of the terminal'])(
    'shows an instruction in %s as it reads, or not at all',
    (name) => {
      const text = z.strictObject({ untrusted_text: z.looseObject({ name: z.string() }) }).parse({
        untrusted_text: schema.parse(answerWith(disguises()[name] ?? '').answer).untrusted_text,
      }).untrusted_text.name;
      expect(['', INSTRUCTION]).toContain(text.trim());
    },
  );

  it('says in the schema what is a fact and what others wrote', () => {
    const json = z.toJSONSchema(schema);
    expect(json.properties).toMatchObject({ id: { 'x-trust': 'fact' }, untrusted_text: { 'x-trust': 'untrusted' } });
  });

  it('ends a long text, and says how much is missing', () => {
    const { answer, cut } = finishAnswer({ untrusted_text: untrusted('log', { message: 'a'.repeat(TEXT_MOST + 50_000) }) }, redactor);
    expect(cut).toBe(1);
    expect(JSON.stringify(answer)).toMatch(/a \[cut: 50000 more characters\]"/);
    expect(JSON.stringify(answer).length).toBeLessThan(TEXT_MOST + 200);
  });

  it('ends a long answer', () => {
    const logs = Array.from({ length: 100 }, () => ({ untrusted_text: untrusted('log', { message: 'b '.repeat(TEXT_MOST / 2) }) }));
    const { answer, cut } = finishAnswer(logs, redactor);
    expect(JSON.stringify(answer).length).toBeLessThan(ANSWER_MOST + 100 * 100);
    expect(cut).toBeGreaterThan(80);
  });

  it('ends deep and wide structures', () => {
    let deep: unknown = 'end';
    for (let index = 0; index < 5000; index += 1) deep = { deep };
    const { answer } = finishAnswer({ untrusted_text: untrusted('flow run', { deep, wide: Array.from({ length: 3000 }, () => 1) }) }, redactor);
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
      const { answer, redactions } = finishAnswer({ untrusted_text: untrusted('log', { message: text }) }, redactor);
      expect(redactions).toBe(1);
      expect(JSON.stringify(answer)).not.toContain(secret.slice(0, 9));
    }
  });

  it('shows nothing of a text that invisible characters fill', () => {
    const secret = `AKIA${randomBytes(8).toString('hex').toUpperCase()}`;
    const { answer } = finishAnswer({ untrusted_text: untrusted('log', { message: `${'\u200b'.repeat(199_990)}${secret}` }) }, redactor);
    expect(JSON.stringify(answer)).not.toContain(secret.slice(0, 6));
  });

  it('redacts the values of parameters with the name of a secret', () => {
    const { answer, redactions } = finishAnswer(
      { untrusted_text: untrusted('flow run', { parameters: { db_password: 'short', apiKey: { value: 'x' }, region: 'eu' } }) },
      redactor,
    );
    expect(redactions).toBe(2);
    expect(answer).toMatchObject({
      untrusted_text: { parameters: { db_password: '[redacted: named secret]', apiKey: { value: '[redacted: named secret]' }, region: 'eu' } },
    });
  });
});
