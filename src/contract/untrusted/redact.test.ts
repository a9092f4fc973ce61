import { beforeAll, describe, expect, it, vi } from 'vitest';
import { createTokenId, createTokenText, TOKEN_PREFIXES } from '../../identity/authn/service-token/token-text.ts';
import { openRedactor, type Redactor } from './redact.ts';
import { secretCases } from './secrets.fixture.ts';

const KNOWN = 'admin:correct/horse+battery';
let redactor: Redactor;
beforeAll(async () => {
  redactor = await openRedactor({ known: [KNOWN, 'short'] });
});

function redact(text: string): string {
  return redactor.redact([text])[0]?.text ?? '';
}

/** The longest part of the secret that the text still has, in characters. */
function leftOf(secret: string, redacted: string): number {
  const text = redacted.replaceAll(/\[redacted: [a-z ]+\]/g, '');
  let most = 0;
  for (let start = 0; start < secret.length; start += 1) {
    while (start + most < secret.length && text.includes(secret.slice(start, start + most + 1))) most += 1;
  }
  return most;
}

describe('redaction', () => {
  it.each(Object.entries(secretCases()))('removes: %s', (_name, { text, secret }) => {
    const redacted = redact(text);
    expect(redacted).toMatch(/\[redacted: [a-z ]+\]/);
    expect(leftOf(secret, redacted)).toBeLessThan(5);
  });

  it.each(Object.entries(secretCases()))('removes, with a comment of secretlint around it: %s', (_name, { text, secret }) => {
    expect(leftOf(secret, redact(`secretlint-disable\n${text}\n# secretlint-disable-line`))).toBeLessThan(5);
  });

  it.each(TOKEN_PREFIXES)('removes %s tokens as Lictor makes them', (prefix) => {
    const { text } = createTokenText(createTokenId(), prefix);
    expect(redact(`token ${text}`)).toBe('token [redacted: lictor token]');
  });

  it.each([KNOWN, encodeURIComponent(KNOWN), JSON.stringify(KNOWN), Buffer.from(KNOWN).toString('base64')])(
    'removes a secret of the configuration as %s',
    (form) => {
      expect(leftOf(form, redact(`sent ${form}.`))).toBeLessThan(5);
    },
  );

  it.each([
    'Finished in state Completed()',
    'Flow run 01940000-0000-7000-8000-00000000000a of deployment etl/nightly-report took 12.5 s',
    'token expired; secret not found; password required',
    'GET https://api.example.com/v1/items?page=2&limit=50 200',
    'commit 9fceb02d0ae598e95dc970b74767f19372d61af8',
    'short',
    'basic authentication failed for user etl',
  ])('leaves: %s', (text) => {
    expect(redactor.redact([text])).toEqual([{ text, redactions: 0 }]);
  });

  it('finds a secret that goes over several texts, and leaves the texts around it', () => {
    const { text } = secretCases()['private key'] ?? { text: '' };
    const lines = ['before', ...text.split('\n').slice(1, -1), 'after'];
    const redacted = redactor.redact(lines);
    expect(redacted).toHaveLength(lines.length);
    expect(redacted[0]).toEqual({ text: 'before', redactions: 0 });
    expect(redacted.at(-1)).toEqual({ text: 'after', redactions: 0 });
    for (const { text } of redacted.slice(1, -1)) expect(text).toMatch(/^\[redacted: private ?key\]$/);
  });

  it('finds each copy of a secret, and looks for the copies once', () => {
    const github = secretCases()['GitHub token']?.secret ?? '';
    const copies = 300;
    const calls = vi.spyOn(String.prototype, 'indexOf');
    const [redacted] = redactor.redact([Array.from({ length: copies }, () => github).join(' ')]);
    const looked = calls.mock.calls.filter(([value]) => value === github).length;
    calls.mockRestore();
    expect(redacted?.text).not.toContain(github);
    expect(redacted?.redactions).toBe(copies);
    expect(looked).toBeLessThanOrEqual(10 * copies);
  });

  it('finds a web token after a dash, and the one after a text that begins like one', () => {
    const { 'JSON Web Token': token } = secretCases();
    for (const before of ['--token-', 'eyJ-eyJ ', `eyJ-${'a'.repeat(61)}-`])
      expect(leftOf(token?.secret ?? '', redact(`${before}${token?.secret}`))).toBeLessThan(5);
  });

  it('names two secrets beside each other', () => {
    const { 'GitHub token': github, 'AWS access key': aws } = secretCases();
    expect(redactor.redact([`${github?.secret} ${aws?.secret}`])).toEqual([{ text: '[redacted: github] [redacted: aws]', redactions: 2 }]);
  });
});
