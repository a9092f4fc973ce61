import { describe, expect, it } from 'vitest';
import type { Keys } from '../report.ts';
import { readForwardProxy } from './forward-proxy.ts';

function read(listen: string, allow: string[] = ['api.example.com']) {
  const problems: string[] = [];
  const report = (keys: Keys, message: string): void => void problems.push(`${keys.join('.')}: ${message}`);
  const config = readForwardProxy({ wire: { listen, allow }, listen: [{ host: '127.0.0.1', port: 8200 }], metrics: '127.0.0.1:9464' }, report);
  return { config, problems };
}

describe('forward_proxy', () => {
  it('is off where it is not there', () => {
    const report = () => expect.unreachable();
    expect(readForwardProxy({ wire: undefined, listen: [], metrics: undefined }, report)).toBeNull();
  });

  it.each([
    ['127.0.0.1:8201', '127.0.0.1'],
    ['localhost:8201', '127.0.0.1'],
    ['[::1]:8201', '::1'],
    ['10.1.0.5:8201', '10.1.0.5'],
    ['172.17.0.1:8201', '172.17.0.1'],
    ['192.168.3.1:8201', '192.168.3.1'],
    ['[fd00::5]:8201', 'fd00::5'],
  ])('listens inside: %s', (listen, host) =>
    expect(read(listen)).toEqual({ config: { listen: { host, port: 8201 }, allow: ['api.example.com'] }, problems: [] }),
  );

  it.each(['0.0.0.0:8201', '[::]:8201', '93.184.216.34:8201', '172.32.0.1:8201', 'proxy.example.com:8201', '[2606:4700::1]:8201', '127.0.0.1:65536'])(
    'does not listen where strangers hear tokens: %s',
    (listen) => expect(read(listen)).toEqual({ config: null, problems: [expect.stringContaining('forward_proxy.listen')] }),
  );

  it('has a port of its own', () => {
    expect(read('127.0.0.1:8200').problems).toEqual([expect.stringContaining('forward_proxy.listen: is a port that the gateway listens on')]);
    expect(read('127.0.0.1:9464').problems).toHaveLength(1);
  });

  it('lists names, in the form that they are compared in, each once', () => {
    expect(read('127.0.0.1:1', ['API.example.com.', 'api.example.com', '*.PyPI.example']).config?.allow).toEqual(['api.example.com', '*.pypi.example']);
    expect(read('127.0.0.1:1', ['*', '10.0.0.1', 'localhost', 'a.example:443']).problems).toHaveLength(4);
  });
});
