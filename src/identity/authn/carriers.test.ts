// The strict reading of what carries a credential (TK-02).
import { describe, expect, it } from 'vitest';
import { parseAuthorization, parseBasicPassword, presentedCredentials, tokenOfFrame } from './carriers.ts';
import { anEdgeInput } from './inputs.fixture.ts';

const basic = (text: string | Buffer): string => Buffer.from(text).toString('base64');

describe('Authorization', () => {
  it.each(['Bearer abc', 'bearer abc', 'BEARER abc'])('is read in any case of the scheme: %s', (value) => {
    expect(parseAuthorization(value)).toEqual({ scheme: 'bearer', token: 'abc' });
  });

  it.each(['Basic', 'basic', 'bAsIc'])('%s holds the token as its password', (scheme) => {
    expect(parseAuthorization(`${scheme} ${basic('any:abc')}`)).toEqual({ scheme: 'basic', token: 'abc' });
  });

  it.each([
    'Bearer',
    'Bearer ',
    'Bearer  abc',
    'Bearer\tabc',
    ' Bearer abc',
    'Bearer abc ',
    'Bearer abc def',
    'Bearer ab\u00e9c',
    'Bearer abc\u0000',
    'Digest username="x"',
    'Negotiate abc',
    'abc',
    'Bearerabc',
    `Basic  ${basic('any:abc')}`,
    `Basic ${basic('any:abc')} `,
    `Basic: ${basic('any:abc')}`,
    `Basic ${basic('any:abc')},Basic ${basic('any:abc')}`,
  ])('is malformed: %j', (value) => expect(parseAuthorization(value).token).toBeNull());
});

describe('Basic credentials (TK-02)', () => {
  it.each([
    ['any:abc', 'abc'],
    ['u:a:b:c', 'a:b:c'],
    ['u:', ''],
    [':abc', 'abc'],
    ['us\u00e9r:p\u00e4ss', 'p\u00e4ss'],
  ])('%j has password %j', (text, password) => expect(parseBasicPassword(basic(text))).toBe(password));

  it.each([
    ['no colon', basic('abc')],
    ['nothing', ''],
    ['no padding', basic('any:abcd').replace(/=+$/, '')],
    ['too much padding', `${basic('any:abc')}==`],
    ['a letter that base64 has not', `*${basic('any:abc')}`],
    ['junk in the middle', `YW55\u00e9OmFiYw==`],
    ['the URL alphabet', 'YW55Oj8_Pz8-'],
    ['bits that are not zero in the last letter', 'YW55OmFiYx=='],
    ['a second value behind', `${basic('any:abc')}${basic('any:abc')}`],
    ['bytes that are no UTF-8', basic(Buffer.from([0x61, 0x3a, 0xff, 0xfe]))],
    ['an overlong colon', basic(Buffer.from([0x61, 0xc0, 0xba, 0x62]))],
    ['a newline', basic('any:abc\n')],
    ['a zero byte', basic('any\u0000:abc')],
  ])('are malformed with %s', (_name, credentials) => expect(parseBasicPassword(credentials)).toBeNull());
});

describe('a first frame', () => {
  it.each([
    ['lct_x', 'lct_x'],
    ['any:lct_x', 'lct_x'],
    [':lct_x', 'lct_x'],
    ['a:b:lct_x', 'b:lct_x'],
  ])('%j holds %j', (frame, token) => expect(tokenOfFrame(frame)).toBe(token));
});

describe('the order of carriers', () => {
  it('is Authorization, X-Lictor-Token, session, frame', () => {
    const inputs = anEdgeInput({ authorization: 'Bearer a', token: 'b', session: 'c' });
    expect(presentedCredentials(inputs, 'd').map(({ carrier }) => carrier)).toEqual(['authorization', 'x-lictor-token', 'session', 'frame']);
    expect(presentedCredentials(anEdgeInput({}), null)).toEqual([]);
    expect(presentedCredentials(anEdgeInput({}), '')).toEqual([]);
  });

  const leftover = `Basic ${basic('admin:old-prefect-password')}`;
  it.each([leftover, `Basic ${basic('no colon')}`, 'Basic ?'])('ignores the stored credential of the Prefect UI: %s', (authorization) => {
    const inputs = anEdgeInput({ authorization, session: 'c', sameOrigin: true });
    expect(presentedCredentials(inputs, null).map(({ carrier }) => carrier)).toEqual(['session']);
  });

  it.each([
    ['without a session', { authorization: leftover, sameOrigin: true }],
    ['from another origin', { authorization: leftover, session: 'c' }],
    ['when it claims to be a token of ours', { authorization: `Basic ${basic('any:lct_x')}`, session: 'c', sameOrigin: true }],
    ['when it is a Bearer', { authorization: 'Bearer x', session: 'c', sameOrigin: true }],
    ['when it is another scheme', { authorization: 'Digest x', session: 'c', sameOrigin: true }],
  ])('keeps it %s', (_name, inputs) => {
    expect(presentedCredentials(anEdgeInput(inputs), null)[0]?.carrier).toBe('authorization');
  });
});
