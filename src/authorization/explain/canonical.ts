// The canonical form of a path, by the same rules as nginx/canonical.conf.

const ESCAPED_ASCII = '2[0-46-9A-C]|3[A-F]|40|5[BDE]|60|7[B-D]';
const ESCAPED_UTF8 = [
  '(?:C[2-9A-F]|D[0-9A-F])%[89AB][0-9A-F]',
  'E0%[AB][0-9A-F]%[89AB][0-9A-F]',
  'E[1-9A-CEF]%[89AB][0-9A-F]%[89AB][0-9A-F]',
  'ED%[89][0-9A-F]%[89AB][0-9A-F]',
  'F0%[9AB][0-9A-F](?:%[89AB][0-9A-F]){2}',
  'F[1-3](?:%[89AB][0-9A-F]){3}',
  'F4%8[0-9A-F](?:%[89AB][0-9A-F]){2}',
].join('|');
const CANONICAL = new RegExp(`^(?:/(?!\\.{1,2}(?:/|$))(?:[A-Za-z0-9._~!$&'()*+,=:@-]|%(?:${ESCAPED_ASCII}|${ESCAPED_UTF8}))+)*/?$`);

/** `rawPath`: without the query. A property test compares this with nginx itself (test/integration/explain.test.ts). */
export function isCanonical(rawPath: string): boolean {
  return CANONICAL.test(rawPath);
}
