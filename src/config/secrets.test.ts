// Secrets in lictor.yaml: where they may stand, and that they never stand in a problem.
import { execFileSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { openTestFile } from './test-file.ts';

const file = openTestFile();
const { directory, accepted, load, places, problems, write } = file;
afterAll(() => file.remove());

describe('tls', () => {
  const https = (cert: string, key: string) =>
    `public_url: https://prefect.example.com\nprefect: { url: "http://127.0.0.1:4200" }\ntls: { cert: ${cert}, key: ${key} }\n`;

  function selfSigned(name: string): { cert: string; key: string } {
    const pair = { cert: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) };
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '1',
        '-subj',
        '/CN=x',
        '-keyout',
        pair.key,
        '-out',
        pair.cert,
      ],
      {
        stdio: 'ignore',
      },
    );
    chmodSync(pair.key, 0o600);
    return pair;
  }

  it('takes a pair, relative to the file, and listens on every address', () => {
    selfSigned('good');
    expect(accepted(https('good.pem', 'good.key'))).toMatchObject({
      tls: { certFile: join(directory, 'good.pem'), keyFile: join(directory, 'good.key'), selfMadeBy: null, client: null },
      listen: [{ host: '0.0.0.0', port: 443 }],
    });
  });

  it('refuses a key of another certificate, one that all can read, and what is no certificate', () => {
    const [one, two] = [selfSigned('one'), selfSigned('two')];
    expect(places(https(one.cert, two.key))).toEqual(['tls.key']);
    expect(places(https(one.key, one.key))).toEqual(['tls.cert']);
    chmodSync(one.key, 0o644);
    expect(places(https(one.cert, one.key))).toEqual(['tls.key']);
  });

  it('says of a file that is not there that it is not, and of one that is no certificate what it is not', () => {
    const one = selfSigned('one');
    const missing = { message: expect.stringMatching(/none\.\w+ does not exist$/), remedy: 'Create it, or correct the path.' };
    expect(problems(https('none.pem', 'none.key'))).toMatchObject([
      { path: 'tls.cert', ...missing },
      { path: 'tls.key', ...missing },
    ]);
    expect(problems(https(one.key, one.key))).toMatchObject([{ path: 'tls.cert', message: expect.stringMatching(/cannot be read as a PEM certificate$/) }]);
    expect(problems(https(directory, one.key))).toMatchObject([{ path: 'tls.cert', message: `${directory} cannot be read` }]);
    const pki = 'identity_providers: [{ id: pki, type: mtls, principal_from: san_uri }]\n';
    const client = { path: 'tls.client_ca', ...missing };
    expect(problems(`${https(one.cert, one.key).trimEnd().replace(/ }$/, ', client_ca: none.pem }')}\n${pki}`)).toMatchObject([client]);
  });

  describe('for clients', () => {
    const text = (tls: string, providers: string, more = '') =>
      `public_url: https://prefect.example.com\nprefect: { url: "http://127.0.0.1:4200" }\ntls: { self_made: true${tls} }\nidentity_providers: [${providers}]\n${more}`;
    const pki = '{ id: pki, type: mtls, principal_from: san_uri }';

    it('needs authorities, and a provider that says who it is', () => {
      selfSigned('clients');
      const both = text(', client_ca: clients.pem, client_crl: clients.crl', pki, 'roles: [{ role: worker, members: ["user:spiffe://a/b@pki"] }]\n');
      expect(accepted(both).tls?.client).toEqual({ caFile: join(directory, 'clients.pem'), crlFile: join(directory, 'clients.crl') });
      expect(places(text(', client_ca: clients.pem', ''))).toEqual(['tls.client_ca']);
      expect(places(text('', pki))).toEqual(['identity_providers[0]']);
      expect(places(text(', client_crl: clients.crl', pki))).toEqual(['tls.client_crl']);
      for (const file of ['none.pem', 'clients.key']) expect(places(text(`, client_ca: ${file}`, pki)), file).toEqual(['tls.client_ca']);
    });

    it('cannot be where another proxy ends TLS', () => {
      const behind = 'tls_terminated_upstream: true\ntrusted_proxies: [10.0.0.0/8]\nlisten: 127.0.0.1:8200\n';
      expect(problems(`public_url: https://x.example\nprefect: { url: "http://127.0.0.1:4200" }\nidentity_providers: [${pki}]\n${behind}`)).toMatchObject([
        { path: 'identity_providers[0]', message: expect.stringContaining('TLS to end here') },
      ]);
      expect(places(text(', client_ca: clients.pem', pki, behind))).toContain('tls');
    });
  });

  it('of the gateway is in the state directory, and beside no other', () => {
    const own = (tls: string) => `public_url: https://prefect.example.com\nprefect: { url: "http://127.0.0.1:4200" }\ntls: ${tls}\n`;
    const { tls } = accepted(own('{ self_made: true }'));
    expect(tls).toMatchObject({ certFile: expect.stringMatching(/\/tls\/server\.pem$/), selfMadeBy: expect.stringMatching(/\/tls\/ca\.pem$/) });
    expect(tls?.keyFile).toBe(tls?.certFile);
    expect(places(own('{ self_made: true, cert: a.pem, key: a.key }'))).toEqual(['tls.cert', 'tls.key']);
    for (const nothing of ['{}', '{ self_made: false }', '{ key: a.key }']) expect(places(own(nothing)), nothing).toEqual(['tls.cert']);
    expect(places(own('{ cert: a.pem }'))).toEqual(['tls.key']);
  });
});

describe("Prefect's password", () => {
  const withPrefect = (line: string) => `public_url: http://localhost:8200\nprefect: { url: "http://127.0.0.1:4200", ${line} }\n`;
  const SECRET = 'gateway:correct-horse-battery';

  it('comes from the environment or from a file', () => {
    expect(accepted(withPrefect('auth_string: "${PREFECT_AUTH}"'), { PREFECT_AUTH: SECRET }).prefect.authString).toBe(SECRET);
    write('auth', `${SECRET}\n`);
    expect(accepted(withPrefect('auth_string_file: auth')).prefect.authString).toBe(SECRET);
  });

  it('has another one beside it while it is replaced', () => {
    write('pair', SECRET);
    write('pair.next', 'gateway:the-one-that-comes');
    const { prefect } = accepted(withPrefect('auth_string_file: pair'));
    expect(prefect).toMatchObject({ authString: SECRET, apiKey: null, next: 'gateway:the-one-that-comes', credentialFile: expect.stringMatching(/\/pair$/) });
    write('pair.next', 'nonsense');
    expect(places(withPrefect('auth_string_file: pair'))).toEqual(['prefect.auth_string_file']);
  });

  it('may be an API key instead, in a file alone', () => {
    write('key', 'pnu_0123456789\n');
    expect(accepted(withPrefect('api_key_file: key')).prefect).toMatchObject({ authString: null, apiKey: 'pnu_0123456789', next: null });
    write('auth', SECRET);
    expect(places(withPrefect('api_key_file: key, auth_string_file: auth'))).toEqual(['prefect.api_key_file']);
    for (const value of ['two words', '', 'pnu_a\npnu_b']) {
      write('bad', value);
      const found = problems(withPrefect('api_key_file: bad'));
      expect(found).toMatchObject([{ path: 'prefect.api_key_file' }]);
      if (value !== '') expect(JSON.stringify(found)).not.toContain(value);
    }
  });

  it('never stands in a problem', () => {
    for (const value of ['no-colon-here', 'two:lines\nsecret', ':empty-user', 'admin:password']) {
      const found = problems(withPrefect('auth_string: "${PREFECT_AUTH}"'), { PREFECT_AUTH: value });
      expect(found).toMatchObject([{ path: 'prefect.auth_string' }]);
      expect(JSON.stringify(found)).not.toContain(value);
    }
  });

  it.each(['admin:pass', 'Admin:Pass', 'user:changeme', 'prefect:prefect'])('is refused when it is an example: %s', (value) => {
    write('example', value);
    expect(places(withPrefect('auth_string_file: example'))).toEqual(['prefect.auth_string_file']);
  });

  it('is refused in plain text, twice, missing, empty, or readable by all', () => {
    expect(places(withPrefect(`auth_string: "${SECRET}"`))).toEqual(['prefect.auth_string']);
    expect(places(withPrefect('auth_string: "${UNSET_NAME}"'))).toEqual(['prefect.auth_string']);
    expect(places(withPrefect('auth_string_file: missing'))).toEqual(['prefect.auth_string_file']);
    write('empty', '');
    expect(places(withPrefect('auth_string_file: empty'))).toEqual(['prefect.auth_string_file']);
    write('open', SECRET, 0o644);
    expect(problems(withPrefect('auth_string_file: open'))[0]?.remedy).toContain('chmod 600');
    expect(places(withPrefect('auth_string_file: auth, auth_string: "${A}"'), { A: SECRET })).toEqual(['prefect.auth_string']);
  });

  it('is not needed by commands that skip secrets', () => {
    expect(load(withPrefect('auth_string: "${UNSET_NAME}"'), {}, 'skip')).toMatchObject({ ok: true, config: { prefect: { authString: null } } });
  });
});
