// Shapes of secrets that secretlint's rules do not have, or have with exceptions for examples, which an author could use.

export interface Shape {
  readonly kind: string;
  /** Global. The group `secret` is what goes; without it, the whole match. Every repetition is bounded, so that the time grows with the text only. */
  readonly pattern: RegExp;
}

/** The value of `NAME = VALUE`: quoted, or up to the next blank or separator. */
const VALUE = `(?<secret>"(?:[^"\\\\\\n]|\\\\.){1,2000}"?|'[^'\\n]{1,2000}'?|[^\\s"',;&<>]{1,2000})`;
const ASSIGNED = '[\\w-]{0,20}\\\\?["\']?\\s{0,80}(?:=>|[:=])\\s{0,80}\\\\?';

export const SHAPES: readonly Shape[] = [
  { kind: 'lictor token', pattern: /\blc[a-z]_[0-9a-z]{16,100}/g },
  { kind: 'lictor session', pattern: /\b(?:__(?:Host|Secure)-)?lictor=(?<secret>[\w.~%-]{16,500})/g },
  { kind: 'prefect key', pattern: /\bpn[bu]_[A-Za-z0-9]{20,100}/g },
  { kind: 'aws', pattern: /\b(?:A3T[A-Z0-9]|AKIA|AGPA|AIDA|AROA|AIPA|ANPA|ANVA|ASIA)[A-Z0-9]{16}/g },
  { kind: 'google', pattern: /\b(?:AIza[\w-]{35}|ya29\.[\w-]{20,500}|GOCSPX-[\w-]{20,60})/g },
  { kind: 'api key', pattern: /\b(?:sk|rk|pk)[-_](?=[\w-]{0,80}\d)[\w-]{20,300}/g },
  { kind: 'api key', pattern: /\b(?:whsec_|SK[0-9a-f]{32}|SG\.|pypi-|dop_v1_|ATATT3|glpat-|hf_|npm_|gh[oprsu]_|github_pat_|AGE-SECRET-KEY-1)[\w.-]{16,500}/g },
  { kind: 'jwt', pattern: /(?<!eyJ[\w-]{0,60})\beyJ[\w-]{4,1000}\.[\w-]{4,8000}(?:\.[\w-]{0,8000}){0,3}/g },
  {
    kind: 'private key',
    pattern:
      /-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?:(?!-----BEGIN)[\s\S]){0,8000}?-----END [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----|(?:(?:\s|\\n|\\r){0,4}[\w+/=]{16,100}){0,200})/g,
  },
  { kind: 'url credential', pattern: /\b[a-z][a-z0-9+.-]{1,30}:\/\/(?<secret>[^\s/?#@:"'<>]{0,200}:[^\s@"'<>]{1,300})@/gi },
  {
    kind: 'url signature',
    pattern: /[?&](?:x-amz-signature|x-amz-security-token|x-goog-signature|sig|signature|token|key|code)=(?<secret>[^\s&"'<>]{8,2000})/gi,
  },
  {
    kind: 'authorization',
    pattern: /\bauthorization\\?["']?\s{0,80}[:=]\s{0,80}\\?["']?(?<secret>(?:(?:basic|bearer|token|apikey)\s{1,80})?[^\s"',;]{4,2000})/gi,
  },
  { kind: 'authorization', pattern: /\b(?:bearer|basic)\s{1,80}(?<secret>(?=[\w.~+/=-]{0,200}[0-9A-Z])[\w.~+/=-]{16,8000})/gi },
  { kind: 'cookie', pattern: /\bset-cookie\\?["']?\s{0,80}[:=]\s{0,80}(?<secret>[^\n]{1,4000})/gi },
  { kind: 'password', pattern: new RegExp(`(?:passw(?:or)?d|passphrase|passcode|\\bpwd|[_-]pass\\b|[_-]pwd\\b)${ASSIGNED}${VALUE}`, 'gi') },
  {
    kind: 'named secret',
    pattern: new RegExp(
      `(?:secret|(?<!page[-_])token|credential|api[_-]?key|access[_-]?key|account[_-]?key|private[_-]?key|auth[_-]?key)${ASSIGNED}(?=[^\\s]{0,200}\\d)(?=[^\\s]{8})${VALUE}`,
      'gi',
    ),
  },
];

/** The name of a parameter whose value is a password, though it may be a number. */
export const PASSWORD_NAME = /passw(?:or)?d|passphrase|passcode|(?:^|[_-])(?:pass|pwd)$/i;

/** The name of a parameter whose text is a secret, whatever its form. Numbers have such names too, as `max_tokens`. */
export const SECRET_NAME = new RegExp(
  `${PASSWORD_NAME.source}|secret|token|credential|api[_-]?key|access[_-]?key|account[_-]?key|private[_-]?key|auth(?:orization)?$|cookie|connection[_-]?string`,
  'i',
);
