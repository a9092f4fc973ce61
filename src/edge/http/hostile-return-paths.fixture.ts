// For tests: return addresses that lead a browser to another site (RD-01), and return addresses that are not canonical.

const EVIL = 'evil.example';

const SCHEMES = ['http:', 'https:', 'HTTPS:', 'ftp:', 'javascript:', 'data:', 'vbscript:', 'ws:', 'file:', 'blob:', 'about:', 'x:', ':'].flatMap((scheme) => [
  `${scheme}//${EVIL}`,
  `${scheme}${EVIL}`,
  `${scheme}/${EVIL}`,
  `${scheme}\\\\${EVIL}`,
]);

const SLASHES = [
  '//',
  '///',
  '////',
  '/\\',
  '\\/',
  '\\\\',
  '\\',
  '/\\/',
  '//\\',
  '/\\\\/',
  '\\/\\/',
  '/./',
  '/../',
  '/././',
  '/.//',
  '/..//',
  '/a/../../',
  '/a//',
].map((start) => `${start}${EVIL}`);

const CONTROLS = ['\t', '\n', '\r', '\r\n', '\0', '\u000b', '\u000c', '\u001b', '\u007f', ' '].flatMap((control) => [
  `/${control}/${EVIL}`,
  `${control}//${EVIL}`,
  `/${control}`,
  `/runs${control}Set-Cookie: a=b`,
]);

const ENCODED = ['%2f', '%2F', '%5c', '%5C', '%00', '%09', '%0a', '%0d', '%0D%0A', '%1f', '%7f'].flatMap((code) => [
  `/${code}${EVIL}`,
  `/${code}/${EVIL}`,
  `${code}${code}${EVIL}`,
]);

const UNICODE = [
  '\u2044',
  '\u2215',
  '\u29f8',
  '\uff0f',
  '\u3002',
  '\uff0e',
  '\ufeff',
  '\u200b',
  '\u202e',
  '\u00e9',
  '\u00a0',
  '\ud83d\ude00',
  '\ud800',
].flatMap((letter) => [`/${letter}${EVIL}`, `${letter}/${EVIL}`]);

const OTHERS = [
  '',
  EVIL,
  `@${EVIL}`,
  `.${EVIL}`,
  `?next=//${EVIL}`,
  `#//${EVIL}`,
  `/#//${EVIL}`,
  `/runs#${EVIL}`,
  `/runs?x#y`,
  `/;@${EVIL}`,
  `/runs;jsessionid=1`,
  `/.`,
  `/..`,
  '/./',
  '/runs/.',
  '/runs/..',
  '/runs/../x',
  '/runs/%2e%2e/x',
  '/%2E%2e/x',
  '/.%2e',
  '/runs//',
  '/runs\\x',
  '/runs?x=\\',
  '*',
  'runs',
  './runs',
  '../runs',
  `gateway.example`,
  `https://gateway.example/`,
  `https://gateway.example@${EVIL}/`,
  `https://gateway.example.${EVIL}/`,
  `user:password@${EVIL}`,
  'null',
  'undefined',
  '[object Object]',
  '/.lictor/login',
  '/.lictor/login?attempt=x',
  '/.lictor/login/',
  '/.lictor/logout',
  '/.lictor/logout?x',
  `/${'a'.repeat(4096)}`,
];

export const HOSTILE_RETURN_PATHS: readonly string[] = [...SCHEMES, ...SLASHES, ...CONTROLS, ...ENCODED, ...UNICODE, ...OTHERS];
