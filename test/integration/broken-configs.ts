// Broken configurations with every expected problem: the same list for `lictor check` and for SIGHUP.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';

export interface Ground {
  /** A sound configuration, as the gateway runs it. */
  readonly good: Readonly<Record<string, unknown>>;
  readonly goodText: string;
  /** Address of a Prefect. */
  readonly prefect: string;
  /** Where the gateway listens. */
  readonly port: number;
  /** A directory to throw away. */
  readonly spare: string;
}

export interface BrokenConfig {
  readonly name: string;
  /** The file's text; undefined: there is no file. */
  readonly text: (ground: Ground) => string | undefined;
  /** Path, and words of message or remedy. Lictor must report no other problem. */
  readonly problems: readonly (readonly [string | RegExp, RegExp])[];
}

/** Everything secret in these files: it must stand in no problem and in no log. */
export const PLANTED_SECRETS = /p\$w0rd|plain-text-secret|pw-in-url|admin:changeme|two-line-secret|client-secret-value/;

export const BROKEN_CONFIGS: readonly BrokenConfig[] = [
  broken('no file', () => undefined, [['', /cannot be read/]]),
  broken('an empty file', () => '', [['', /must be: object/]]),
  broken('a list', () => '- a\n- b\n', [['', /must be: object/]]),
  broken('no YAML', () => 'public_url: [', [['', /YAML: /]]),
  broken('two documents', ({ goodText }) => `${goodText}---\n${goodText}`, [['', /YAML: .*document/]]),
  broken('a duplicate key', ({ goodText }) => `${goodText}public_url: http://localhost:1\n`, [['', /YAML: .*unique[\s\S]*Merge the two/]]),
  broken('a file of more than 1 MiB', ({ goodText }) => `${goodText}# ${'x'.repeat(1_100_000)}\n`, [['', /larger than 1 MiB/]]),
  broken('an alias bomb', () => bomb(), [['', /cannot be read as YAML/]]),
  laid('an unknown key', { publik_url: 'x' }, [['publik_url', /unknown key[\s\S]*Did you mean public_url\?/]]),
  laid(
    'unknown keys at every depth',
    ({ prefect }) => ({ prefect: { url: prefect, uri: 1 }, sessions: { idel: '1h' }, limits: [{ for: '*', rate: '5/s', brst: 3 }] }),
    [
      ['prefect.uri', /Did you mean url\?/],
      ['sessions.idel', /Did you mean idle\?/],
      ['limits[0].brst', /Did you mean burst\?/],
    ],
  ),
  broken('keys of every object', ({ goodText }) => `${goodText}__proto__: { a: 1 }\nconstructor: 1\n`, [
    ['__proto__', /unknown key/],
    ['constructor', /unknown key/],
  ]),
  laid('wrong types', { public_url: 5, roles: {}, identity_providers: 'corp', forward_headers: 3 }, [
    ['public_url', /must be: string/],
    ['roles', /must be: array/],
    ['identity_providers', /must be: array/],
    ['forward_headers', /must be: array/],
  ]),
  laid('SAML metadata that is none', ({ spare }) => ({ identity_providers: [{ id: 'adfs', type: 'saml', metadata_file: noMetadata(spare) }] }), [
    ['identity_providers[0].metadata_file', /is of no use: .*[\s\S]*Bring the metadata/],
  ]),
  laid('a workspace of Prefect Cloud', { prefect: { url: 'https://api.prefect.cloud/api/accounts/a/workspaces/w' } }, [
    ['prefect.url', /is a workspace of Prefect Cloud/],
  ]),
  laid('a bad URL', { prefect: { url: 'not a url' } }, [['prefect.url', /http:\/\/ or https:\/\//]]),
  laid('a password in the URL of Prefect', { prefect: { url: 'http://gateway:pw-in-url@127.0.0.1:4200' } }, [
    ['prefect.url', /the password goes to auth_string_file/],
  ]),
  laid('a path in the URL of Prefect', { prefect: { url: 'http://127.0.0.1:4200/api' } }, [['prefect.url', /has a path \(\/api\)[\s\S]*without/]]),
  laid('the gateway as its own Prefect', ({ port }) => ({ prefect: { url: `http://127.0.0.1:${port}` } }), [
    ['prefect.url', /where the gateway itself listens/],
  ]),
  laid('servers beside url, one of them twice', ({ prefect }) => ({ prefect: { url: prefect, servers: [prefect, prefect] } }), [
    ['prefect.servers', /stands beside url/],
  ]),
  laid('a server twice', ({ prefect }) => ({ prefect: { servers: [prefect, prefect] } }), [['prefect.servers[1]', /stands there twice/]]),
  laid('http on a public address', { public_url: 'http://prefect.example.com' }, [['public_url', /plain http would show every token/]]),
  laid('a public_url that would break the quoting', { public_url: 'https://example.com";return 200;#' }, [
    ['public_url', /scheme, host|without spaces or quotes/],
  ]),
  laid('a public_url with a variable of nginx', { public_url: 'http://localhost:8200/$uri' }, [['public_url', /URL without spaces or quotes|nothing else/]]),
  laid("a path of Prefect's own", { public_url: 'http://localhost:8200/api' }, [['public_url', /Prefect uses for itself/]]),
  laid('https without a certificate', { public_url: 'https://prefect.example.com' }, [['tls', /is missing, though public_url is https/]]),
  laid('a certificate for http, from files that are not there', { tls: { cert: 'nowhere.pem', key: 'nowhere.key' } }, [
    ['tls', /is set, though public_url is http/],
  ]),
  laid('a secret file that is not there', ({ prefect }) => ({ prefect: { url: prefect, auth_string_file: '/nonexistent/secret' } }), [
    ['prefect.auth_string_file', /does not exist[\s\S]*Create it/],
  ]),
  laid(
    'a secret file that every user can read',
    ({ prefect, spare }) => ({ prefect: { url: prefect, auth_string_file: secret(spare, 'gateway:p$w0rd', 0o644) } }),
    [['prefect.auth_string_file', /every user of this machine[\s\S]*chmod 600/]],
  ),
  laid(
    'a secret file with two lines',
    ({ prefect, spare }) => ({ prefect: { url: prefect, auth_string_file: secret(spare, 'gateway:two-line-secret\nmore') } }),
    [['prefect.auth_string_file', /user:password on one line/]],
  ),
  laid("a password from Prefect's examples", ({ prefect, spare }) => ({ prefect: { url: prefect, auth_string_file: secret(spare, 'admin:changeme') } }), [
    ['prefect.auth_string_file', /stands in examples[\s\S]*Make one/],
  ]),
  laid('a directory in place of a secret file', ({ prefect, spare }) => ({ prefect: { url: prefect, auth_string_file: spare } }), [
    ['prefect.auth_string_file', /is not a file of at most 64 KiB/],
  ]),
  laid('a secret in plain text, with a $', ({ prefect }) => ({ prefect: { url: prefect, auth_string: 'gateway:plain-text-secret$1' } }), [
    ['prefect.auth_string', /is a secret in plain text[\s\S]*auth_string_file/],
  ]),
  laid(
    'variables that are not set, or are none',
    ({ prefect }) => ({ prefect: { url: prefect, auth_string: '${LICTOR_NOT_SET}' }, store: '${no such name}' }),
    [
      ['prefect.auth_string', /LICTOR_NOT_SET is not set/],
      ['store', /no reference to an environment variable/],
    ],
  ),
  laid('an authority file that is none', ({ spare }) => ({ prefect: { url: 'https://127.0.0.1:4200', ca_file: secret(spare, 'no PEM') } }), [
    ['prefect.ca_file', /cannot be read as PEM certificates/],
  ]),
  laid('an authority file without https', ({ prefect, spare }) => ({ prefect: { url: prefect, ca_file: secret(spare, 'no PEM') } }), [
    ['prefect.ca_file', /is set, though no server is https/],
  ]),
  laid('a file name that nginx would expand', ({ spare }) => ({ prefect: { url: 'https://127.0.0.1:4200', ca_file: join(spare, 'a$host', 'ca.pem') } }), [
    ['prefect.ca_file', /holds a \$/],
  ]),
  laid('two providers of one name', { identity_providers: [1, 2].map(() => ({ id: 'local', type: 'accounts' })) }, [
    ['identity_providers', /accounts/],
    ['identity_providers[1].id', /local/],
  ]),
  laid(
    'providers that overlap',
    { identity_providers: ['one', 'two'].map((id) => ({ id, type: 'jwt', issuer: 'https://idp.example.com', audience: 'lictor' })) },
    [[/^identity_providers\[1\](\.audience)?$/, /overlaps/]],
  ),
  laid(
    'a provider of an unknown type, another with a bad id',
    {
      identity_providers: [
        { id: 'a', type: 'ldap' },
        { id: 'A b', type: 'accounts' },
      ],
    },
    [
      ['identity_providers[0].type', /not a known type/],
      ['identity_providers[1].id', /small letters/],
    ],
  ),
  laid(
    'a client secret in plain text',
    { identity_providers: [{ id: 'corp', type: 'oidc', issuer: 'https://idp.example.com', client_id: 'a', client_secret: 'client-secret-value' }] },
    [['identity_providers[0].client_secret', /is a secret in plain text/]],
  ),
  laid(
    'an unknown role, and members that nobody is',
    {
      roles: [
        { role: 'emperor', members: ['*@local'] },
        { role: 'viewer', members: ['bob', 'user:bob@nowhere', 'group:x@local'] },
      ],
    },
    [
      ['roles[0].role', /must be one of/],
      ['roles[1].members[0]', /names nobody/],
      ['roles[1].members[1]', /no identity provider of this file/],
      ['roles[1].members[2]', /can never be/],
    ],
  ),
  laid(
    'headers that would break the quoting, or are not theirs to pass',
    { forward_headers: ['X-A"; return 200; #', 'X-$host', 'Cookie', 'X-Lictor-Principal'] },
    [
      ['forward_headers[0]', /header name/],
      ['forward_headers[1]', /header name/],
      ['forward_headers[2]', /never passed on/],
      ['forward_headers[3]', /never passed on/],
    ],
  ),
  laid('proxies that are no addresses, and one that is everybody', { trusted_proxies: ['10.0.0.0/33', '1.2.3.4; }', '0.0.0.0/0'] }, [
    ['trusted_proxies[0]', /address or a network/],
    ['trusted_proxies[1]', /address or a network/],
    ['trusted_proxies[2]', /trusts every client/],
  ]),
  laid('TLS that somebody else ends, without saying who', { public_url: 'https://prefect.example.com', tls_terminated_upstream: true }, [
    ['listen', /is missing beside tls_terminated_upstream/],
    ['trusted_proxies', /is missing beside tls_terminated_upstream/],
  ]),
  laid('addresses that are none', { listen: ['127.0.0.1:99999', '127.0.0.1:80; include /etc/passwd'] }, [
    ['listen[0]', /port from 1 to 65535/],
    ['listen[1]', /HOST:PORT/],
  ]),
  laid('an address twice', { listen: ['127.0.0.1:8200', 'localhost:8200'] }, [['listen', /names an address twice/]]),
  laid(
    'limits that cannot be',
    {
      limits: [
        { for: '*', rate: 'fast' },
        { for: '*', rate: '5/s', burst: 0 },
      ],
    },
    [
      ['limits[0].rate', /requests per second: 50\/s/],
      ['limits[1].burst', /1/],
      ['limits[1]', /is a second limit/],
    ],
  ),
  laid('a second limit for everybody', { limits: [1, 2].map((n) => ({ for: '*', rate: `${n}/s` })) }, [['limits[1]', /is a second limit/]]),
  laid('sessions that end before they are idle', { sessions: { idle: '2h', absolute: '1h' } }, [['sessions.absolute', /shorter than sessions\.idle/]]),
  laid('a store of another kind', { store: 'mysql:lictor' }, [['store', /must be sqlite:/]]),
  laid('a store on Postgres without a user', { store: 'postgres://db.example/lictor' }, [['store', /no address of a Postgres database/]]),
  laid('a store on Postgres with its password', { store: 'postgres://lictor:pw-in-url@db.example/lictor?sslmode=verify-full' }, [['store', /plain text/]]),
  laid(
    'something in every section',
    { publik_url: 'x', prefect: { url: 'x' }, sessions: { idle: '8' }, limits: [{ for: 'me' }], store: 'x', ledger: { fail_closed: 'yes' } },
    [
      ['publik_url', /unknown key/],
      ['prefect.url', /http:\/\//],
      ['sessions.idle', /500ms/],
      ['limits[0].for', /role:NAME/],
      ['store', /sqlite:/],
      ['ledger.fail_closed', /boolean/],
    ],
  ),
];

function broken(name: string, text: BrokenConfig['text'], problems: BrokenConfig['problems']): BrokenConfig {
  return { name, text, problems };
}

type Changes = Readonly<Record<string, unknown>>;

/** The sound configuration with some keys laid over it. */
function laid(name: string, changes: Changes | ((ground: Ground) => Changes), problems: BrokenConfig['problems']): BrokenConfig {
  const text = (ground: Ground) => stringify({ ...ground.good, ...(typeof changes === 'function' ? changes(ground) : changes) });
  return { name, text, problems };
}

function secret(spare: string, text: string, mode = 0o600): string {
  mkdirSync(spare, { recursive: true });
  const file = join(spare, `secret-${Buffer.from(text).toString('hex').slice(0, 24)}-${mode}`);
  writeFileSync(file, text);
  chmodSync(file, mode);
  return file;
}

function bomb(): string {
  const levels = Array.from({ length: 12 }, (_, index) => `a${index + 1}: &a${index + 1} [${Array(9).fill(`*a${index}`).join(', ')}]`);
  return `a0: &a0 [x]\n${levels.join('\n')}\n`;
}

function noMetadata(directory: string): string {
  const file = join(directory, 'metadata.xml');
  writeFileSync(file, '<html>plain-text-secret</html>');
  return file;
}
