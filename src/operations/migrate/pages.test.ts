// docs/how-to/network-rules.md and move-workers.md have the text that the command prints.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { REPOSITORY } from '../../cli/repository.ts';
import { networkRules } from './network-rules.ts';
import { environmentFile, KINDS, setupLines } from './setup-lines.ts';

const page = (name: string): string => readFileSync(join(REPOSITORY, 'docs/how-to', name), 'utf8');
const asBlock = (text: string): string => text.replaceAll(/^(?=.)/gm, '    ');

const FAR = { url: 'http://10.0.0.1:4200', gateway: '10.0.0.5' };
const NEAR = { url: 'http://127.0.0.1:4200', gateway: '127.0.0.1' };
const textsOf = (...subjects: Parameters<typeof networkRules>[0]) => networkRules(subjects).map(({ text }) => text);

describe('the network rules', () => {
  it.each([...textsOf(FAR), ...textsOf(NEAR).slice(0, 1)])('are those of the page: %s', (text) => expect(page('network-rules.md')).toContain(asBlock(text)));

  it('are one of nftables for each server, and the others once for each port', () => {
    expect(networkRules([FAR, { url: 'http://10.0.0.2:4200', gateway: '10.0.0.5' }]).map(({ title }) => title.split(/[ ,:]/)[0])).toEqual(
      'nftables nftables docker Kubernetes security'.split(' '),
    );
    expect(textsOf({ url: 'https://prefect.internal', gateway: '10.0.0.5' })[0]).toContain('tcp dport 443 ip saddr != 10.0.0.5');
  });

  it('allow a gateway with an IPv6 address by that family, and nothing by the other', () => {
    const [rule] = textsOf({ url: 'http://[fd00::1]:4200', gateway: 'fd00::5' });
    expect(rule).toContain('tcp dport 4200 ip6 saddr != fd00::5 reject');
    expect(rule).toContain('tcp dport 4200 meta nfproto ipv4 reject');
  });

  it('are valid YAML for Kubernetes', () => {
    expect(parse(textsOf(FAR)[2] ?? '')).toMatchObject({ kind: 'NetworkPolicy', spec: { policyTypes: ['Ingress'], ingress: [{ ports: [{ port: 4200 }] }] } });
  });
});

describe('the lines of a worker', () => {
  const apiUrl = 'https://prefect.example.com/api';
  const lines = (kind: (typeof KINDS)[number], name = 'etl-1', file = '/etc/lictor/workers/etl-1.env') =>
    setupLines(kind, { pool: 'etl', name }, { file, tokenName: name, apiUrl });

  it.each(KINDS)('are those of the page: %s', (kind) => {
    const text = lines(kind).replace(/^#.*\n/, '');
    expect(page('move-workers.md')).toContain(asBlock(text));
  });

  it('quote what a shell or YAML would read otherwise', () => {
    expect(lines('process', "it's one", '/a b/c.env')).toBe(`set -a; . '/a b/c.env'; set +a\nprefect worker start --pool etl --name 'it'\\''s one'\n`);
    expect(parse(lines('helm', 'a: "b"'))).toMatchObject({ worker: { config: { name: 'a: "b"' } } });
  });

  it('name a file like that of the page, with the authority of a self-made certificate', () => {
    expect(page('move-workers.md')).toContain(asBlock(environmentFile({ apiUrl, caFile: null }, 'lct_...')));
    expect(environmentFile({ apiUrl, caFile: '/var/lib/lictor/ca.pem' }, 'lct_x')).toBe(
      `PREFECT_API_URL=${apiUrl}\nPREFECT_API_AUTH_STRING=any:lct_x\nPREFECT_API_SSL_CERT_FILE=/var/lib/lictor/ca.pem\n`,
    );
    expect(environmentFile({ apiUrl, caFile: '/a b/$(reboot).pem' }, 'lct_x')).toMatch(/any:lct_x\n# [^$]+\n$/);
  });
});
