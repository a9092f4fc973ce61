import { describe, expect, it } from 'vitest';
import { createAwsSigner } from './aws-signer.ts';
import { type SigningCall, signingStrategy } from './sigv4.ts';

function setting() {
  const calls: SigningCall[] = [];
  const strategy = signingStrategy(async (call) => {
    calls.push(call);
    return { authorization: 'AWS4 signed', 'x-amz-date': 'now' };
  });
  const show = (target: string, headers: Record<string, string> = {}) =>
    strategy.authenticateCall({ method: 'PUT', target, headers: { host: 'b.s3.example', ...headers }, body: Buffer.from('x') });
  return { calls, show };
}

describe('a signed call', () => {
  it.each([
    ['/a/b.txt', '/a/b.txt', {}],
    ['/a:b/c=(d)', '/a%3Ab/c%3D%28d%29', {}],
    ['/a%3Ab/%C3%A9', '/a%3Ab/%C3%A9', {}],
    ['/x?b=2&a=1&b=1', '/x?b=2&a=1&b=1', { a: ['1'], b: ['2', '1'] }],
    ['/x?acl', '/x?acl', { acl: [''] }],
    ['/x?q=a+b%2Bc*', '/x?q=a%20b%2Bc%2A', { q: ['a b+c*'] }],
    ['/x?p=a/b:c&&', '/x?p=a%2Fb%3Ac', { p: ['a/b:c'] }],
  ])('is sent and signed in the form that all servers parse alike: %s', async (target, wanted, query) => {
    const { calls, show } = setting();
    expect(await show(target)).toMatchObject({ ok: true, target: wanted });
    expect(calls[0]).toMatchObject({ method: 'PUT', host: 'b.s3.example', path: wanted.split('?')[0], query, body: Buffer.from('x') });
  });

  it('signs what a server reads, and takes nothing of a signature from the caller', async () => {
    const { calls, show } = setting();
    const shown = await show('/x', {
      ...{ 'content-type': 'text/plain', 'x-amz-acl': 'private', 'user-agent': 'me' },
      ...{ 'x-amz-date': 'then', 'x-amz-security-token': 'mine', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', authorization: 'mine' },
    });
    expect(calls[0]?.headers).toEqual({ 'content-type': 'text/plain', 'x-amz-acl': 'private' });
    expect(shown).toMatchObject({
      headers: {
        host: 'b.s3.example',
        'content-type': 'text/plain',
        'x-amz-acl': 'private',
        'user-agent': 'me',
        authorization: 'AWS4 signed',
        'x-amz-date': 'now',
      },
    });
    expect(JSON.stringify(shown)).not.toContain('mine');
  });

  it.each(['/x?X-Amz-Signature=1', '/x?x-amz-security-token=1', '/x?X-Amz%2DCredential=1', '/x?AWSAccessKeyId=1', '/x?a=%ff', '/x?a#b'])(
    'is refused: %s',
    async (target) => {
      const { calls, show } = setting();
      expect(await show(target)).toEqual({ ok: false, reason: 'request-invalid' });
      expect(calls).toEqual([]);
    },
  );

  it('is refused where its query has more parts than a signer joins at once', async () => {
    const { calls, show } = setting();
    expect(await show(`/x?${'a&'.repeat(1_001)}`)).toEqual({ ok: false, reason: 'request-invalid' });
    expect(calls).toEqual([]);
    expect(await show(`/x?${'a&'.repeat(1_000)}`)).toMatchObject({ ok: true });
    expect(calls[0]?.query['a']).toHaveLength(1_000);
  });

  it.each([0, -3_600_000, 3_600_000])('is not made without credentials, which are not requested again at once, if the clock steps by %i ms', async (putTo) => {
    const trouble: string[] = [];
    let [nowMs, putMs] = [1, 0];
    const sign = createAwsSigner(
      { region: 'eu-west-1', service: 's3', profile: 'nobody-has-this' },
      { clock: () => nowMs + putMs, steady: () => nowMs, onTrouble: (what) => trouble.push(what) },
    );
    const strategy = signingStrategy(sign);
    const call = { method: 'GET', target: '/', headers: { host: 'x' }, body: Buffer.alloc(0) };
    expect(await strategy.authenticateCall(call)).toEqual({ ok: false, reason: 'service-credential-unavailable' });
    putMs = putTo;
    expect(await strategy.authenticateCall(call)).toEqual({ ok: false, reason: 'service-credential-unavailable' });
    expect(trouble).toHaveLength(1);
    nowMs += 5_001;
    await strategy.authenticateCall(call);
    expect(trouble).toHaveLength(2);
  });

  it('is not made while the libraries cannot be read, and is with the next call when they can', async () => {
    const trouble: string[] = [];
    const noFiles = Object.assign(new Error('EMFILE: too many open files, open /a/file'), { code: 'EMFILE' });
    let loads = 0;
    const load = async () => {
      loads += 1;
      if (loads < 3) throw noFiles;
      const { SignatureV4: Signature } = await import('@smithy/signature-v4');
      return { Signature, defaultProvider: () => async () => ({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'no-real-key' }) };
    };
    const sign = createAwsSigner(
      { region: 'eu-west-1', service: 's3', profile: null },
      { clock: () => 1, steady: () => 1, onTrouble: (what) => trouble.push(what), load },
    );
    const call = { method: 'GET', host: 'b.s3.example', path: '/', query: {}, headers: {}, body: Buffer.alloc(0) };
    expect(await Promise.all([sign(call), sign(call)])).toEqual([undefined, undefined]);
    expect(await sign(call)).toBeUndefined();
    expect(new Set(trouble)).toEqual(new Set(['EMFILE']));
    expect(await Promise.all([sign(call), sign(call)])).toEqual(
      Array.from({ length: 2 }, () => expect.objectContaining({ authorization: expect.any(String) })),
    );
    expect(loads).toBe(3);
  });
});
