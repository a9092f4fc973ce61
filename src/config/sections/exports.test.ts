import { chmodSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { openTestFile } from '../test-file.ts';

const file = openTestFile();
const { accepted, problems, write } = file;
afterAll(() => file.remove());

const BASE = 'public_url: http://localhost:8200\nprefect: { url: "http://127.0.0.1:4200" }\n';
const withSink = (text: string): string => `${BASE}ledger: { export: [ { ${text} } ] }\n`;

describe('ledger.export', () => {
  write('headers', 'Authorization: Bearer abc\nX-Scope: one\n');
  write('secret', 'whsec_0123456789abcdef\n');
  for (const name of ['headers', 'secret']) chmodSync(`${file.directory}/${name}`, 0o600);

  it('has a separate name, which stays while its address does', () => {
    const [one] = accepted(withSink('type: otlp, url: "http://127.0.0.1:4318"')).exports;
    expect(one).toEqual({
      name: expect.stringMatching(/^otlp-[0-9a-f]{8}$/),
      type: 'otlp',
      url: 'http://127.0.0.1:4318/',
      format: 'record',
      from: 'now',
      events: false,
      timeoutMs: 15_000,
      ca: null,
      headers: {},
      secret: null,
    });
    expect(accepted(withSink('type: otlp, url: "http://127.0.0.1:4318/", timeout: 1s')).exports[0]?.name).toBe(one?.name);
  });

  it.each([
    [
      'type: webhook, url: "https://h.example/x", secret_file: secret, headers_file: headers',
      { secret: 'whsec_0123456789abcdef', headers: { authorization: 'Bearer abc', 'x-scope': 'one' } },
    ],
    ['type: ndjson, url: /var/log/a b.ndjson', { url: 'file:///var/log/a%20b.ndjson' }],
    ['type: ndjson, url: out.ndjson, format: ocsf, from: start', { url: `file://${file.directory}/out.ndjson`, format: 'ocsf', from: 'start' }],
    ['type: syslog, url: "tls://[2001:db8::1]:6514"', { url: 'tls://[2001:db8::1]:6514' }],
    ['type: syslog, url: "tcp://log.example:514", name: siem', { name: 'siem', events: false }],
    ['type: ndjson, url: out.ndjson, events: true', { events: true }],
  ])('takes %s', (text, expected) => {
    expect(accepted(withSink(text)).exports).toMatchObject([expected]);
  });

  it.each([
    ['type: webhook, url: "https://h.example/x"', 'ledger.export[0].secret_file', 'is signed'],
    ['type: otlp, url: "https://h.example", secret_file: secret', 'ledger.export[0].secret_file', 'webhooks alone'],
    ['type: otlp, url: "tcp://h.example:1"', 'ledger.export[0].url', 'no address of a sink'],
    ['type: syslog, url: "udp://h.example:514"', 'ledger.export[0].url', 'no address of a sink'],
    ['type: syslog, url: "tcp://h.example"', 'ledger.export[0].url', 'no host and port'],
    ['type: otlp, url: "https://u:p@h.example"', 'ledger.export[0].url', 'user or a password'],
    ['type: ndjson, url: /var/log/', 'ledger.export[0].url', 'directory'],
    ['type: ndjson, url: out.ndjson, headers_file: headers', 'ledger.export[0].headers_file', 'only http'],
    ['type: otlp, url: "http://h.example:4318", headers_file: headers', 'ledger.export[0].url', 'in the clear'],
    ['type: otlp, url: "https://h.example", headers_file: secret', 'ledger.export[0].headers_file', 'lines of Name: value'],
    ['type: otlp, url: "http://h.example:4318", ca_file: secret', 'ledger.export[0].ca_file', 'no TLS'],
    ['type: otlp, url: "https://h.example", ca_file: secret', 'ledger.export[0].ca_file', 'PEM'],
    ['type: otlp, url: "https://h.example" }, { type: otlp, url: "https://h.example"', 'ledger.export[1]', 'name of another'],
    ['type: kafka, url: "https://h.example"', 'ledger.export[0].type', ''],
  ])('refuses %s', (text, path, message) => {
    const found = problems(withSink(text));
    expect(found).toEqual([expect.objectContaining({ path, message: expect.stringContaining(message) })]);
    expect(JSON.stringify(found)).not.toMatch(/Bearer abc|whsec_0/);
  });
});
