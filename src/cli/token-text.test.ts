import { describe, expect, it } from 'vitest';
import type { Config } from '../config/config.ts';
import { accessTokenJson } from '../identity/manage/access-token-json.ts';
import { tokenJson } from '../identity/manage/token-json.ts';
import { renderAccessTokens, renderNewSecret, renderTokens } from './token-text.ts';

const publicUrl = { origin: 'https://prefect.example.com', hostname: 'prefect.example.com', port: 443, secure: true, basePath: '' };
const stored = {
  id: 'id',
  name: 'etl',
  roles: ['worker'],
  scope: null,
  cidrs: [],
  secrets: [],
  createdMs: 0,
  lifetimeMs: null,
  lastUsedMs: null,
  lastUsedFrom: null,
  heldMs: null,
  revokedMs: null,
};
const token = tokenJson(stored, { agents: [], nowMs: 0 });

const shown = (selfMadeBy: string | null, form: 'json' | 'text' = 'text') => {
  const tls: Config['tls'] = { certFile: '/c.pem', keyFile: '/k.pem', selfMadeBy, client: null };
  return renderNewSecret({ token, secret: 'lct_x', config: { publicUrl, tls } }, form);
};

describe('the lines to paste', () => {
  it('hold the authority of a certificate that the gateway makes, as one word of a shell', () => {
    expect(shown('/var/lib/lictor/tls/ca.pem')).toContain('\n  export PREFECT_API_SSL_CERT_FILE=/var/lib/lictor/tls/ca.pem\n');
    expect(shown("/var/the gateway's/tls/ca.pem")).toContain(`\n  export PREFECT_API_SSL_CERT_FILE='/var/the gateway'\\''s/tls/ca.pem'\n`);
  });

  it('hold none of a certificate that clients know, and --json is one object in any case', () => {
    expect(shown(null)).not.toContain('SSL_CERT_FILE');
    expect(shown(null)).toContain('any:lct_x\n\nOr, if the client needs its auth string for something else:');
    expect(JSON.parse(shown('/ca.pem', 'json'))).toEqual(JSON.parse(shown(null, 'json')));
  });
});

it('a list of access tokens names the whole chain, and the proof of its actor', () => {
  const chain = { actor: { kind: 'token', id: 't1' }, subject: { kind: 'login', id: 'g1' }, principals: ['agent:copilot', 'alice@corp'] } as const;
  const access = { id: 'a1', hash: 'h', audience: null, chain, createdMs: 0, expiresMs: 60_000, revokedMs: null };
  expect(accessTokenJson(access)).toMatchObject({ principal: 'agent:copilot', idp: null, on_behalf_of: ['alice@corp'], given_for: 't1' });
  expect(renderAccessTokens([access], { out: process.stdout, env: { COLUMNS: '120' } })).toContain('a1  agent:copilot for alice@corp  1970-01-01 00:01  t1');
});

it('a list of tokens says whether the former secret is still used during the overlap of a rotation', () => {
  const secret = { hash: 'a', createdMs: 0, expiresMs: null, lastUsedMs: null, lastUsedFrom: null };
  const lines = (former: object, nowMs = 0) =>
    renderTokens([tokenJson({ ...stored, secrets: [secret, { ...secret, hash: 'b', expiresMs: 3_607_000, ...former }] }, { agents: [], nowMs })], {
      out: process.stdout,
      env: { COLUMNS: '120' },
    }).split('\n');
  const until = 'The former secret of etl is valid until 1970-01-01 01:00:07 UTC, and';
  expect(lines({})[2]).toBe(`${until} was never used.`);
  expect(lines({ lastUsedMs: 60_000, lastUsedFrom: '192.0.2.7' })[2]).toBe(`${until} was last used 1970-01-01 00:01 UTC from 192.0.2.7.`);
  expect(lines({ lastUsedMs: 60_000 }, 3_607_000)[2]).toBe('');
});

it('a list of tokens leaves the id out where the terminal is narrow, and breaks no word of the others', () => {
  const at = (columns: number) => renderTokens([token], { out: process.stdout, env: { COLUMNS: String(columns) } });
  expect(at(80)).toBe(
    'NAME  ROLE    ON          STATE  AGE  EXPIRES  LAST USED (UTC)  ALLOWED FROM\netl   worker  everything  live   0 d  never    never            anywhere\n',
  );
  expect(at(120)).toMatch(/^NAME {2}ID {2}ROLE/);
});
