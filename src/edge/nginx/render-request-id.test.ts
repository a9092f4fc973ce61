import { describe, expect, it } from 'vitest';
import { renderRequestId } from './render-request-id.ts';
import { parseNginxVersion } from './version.ts';

const NEW = parseNginxVersion('nginx', 'nginx/1.22.1');
const OLD = parseNginxVersion('nginx', 'nginx/1.18.0');

/** The result of the map for these values of nginx's variables. */
function id(values: Readonly<Record<string, string>>, version = NEW, node = 'a'): string {
  const [, key = '', expression = '', value = ''] = /map "(.*)" \$lictor_request_id \{\s*"~(.*)" (.*);/.exec(renderRequestId(version, node)) ?? [];
  const text = key.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_all, braced, bare) => values[braced ?? bare] ?? '');
  const found = new RegExp(expression).exec(text);
  return value.replace(/\$(\d)/g, (_all, place) => found?.[Number(place)] ?? '');
}

const FIRST = { msec: '1795638606.023', connection: '7', connection_requests: '12', request_id: 'c83f1d2a'.repeat(4) };

describe('the id of a request', () => {
  it.each([NEW, OLD])('is 32 hexadecimal digits that begin with the time (%o)', (version) => {
    expect(id(FIRST, version)).toMatch(/^1795638606023[0-9a-f]{19}$/);
  });

  it.each([
    ['the next on the connection', { connection_requests: '13' }],
    ['another connection', { connection: '8' }],
    ['numbers that read the same in a row', { connection: '27', connection_requests: '1' }],
    ['a number that is longer by a zero', { connection: '70' }],
  ])('is another for %s', (_what, other) => {
    expect(id({ ...FIRST, ...other })).not.toBe(id(FIRST));
  });

  it('holds a hundred million connections with a hundred thousand requests each', () => {
    const large = { ...FIRST, connection: '99999999', connection_requests: '100000' };
    expect(id(large)).toMatch(/100000a99999999$/);
  });

  it('is another on another node', () => expect(id(FIRST, NEW, 'b')).not.toBe(id(FIRST)));

  it('is at random where nginx does not count the streams of a connection', () => {
    expect(id(FIRST, OLD)).toBe(`1795638606023${FIRST.request_id.slice(0, 19)}`);
  });
});
