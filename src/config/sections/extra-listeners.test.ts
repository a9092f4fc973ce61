import { afterAll, describe, expect, it } from 'vitest';
import { openTestFile, SMALLEST } from '../test-file.ts';
import { forwardProxySection } from './extra-listeners.ts';

const file = openTestFile();
const { accepted, problems } = file;
afterAll(() => file.remove());

const withMetrics = (listen: string): string => `${SMALLEST}metrics: { listen: "${listen}" }\n`;

describe('metrics.listen', () => {
  it.each([
    ['127.0.0.1:9464', { host: '127.0.0.1', port: 9464 }],
    ['[::1]:9464', { host: '::1', port: 9464 }],
    ['localhost:9464', { host: 'localhost', port: 9464 }],
    ['unix:/run/lictor/metrics.sock', { path: '/run/lictor/metrics.sock' }],
    ['unix:metrics.sock', { path: `${file.directory}/metrics.sock` }],
  ])('takes %s', (listen, expected) => {
    expect(accepted(withMetrics(listen)).metrics).toEqual(expected);
  });

  it.each(['0.0.0.0:9464', '10.0.0.1:9464', 'metrics.example:9464', '127.0.0.1:99999', '9464', '127.0.0.1.evil.example:1'])('refuses %s', (listen) => {
    expect(problems(withMetrics(listen))).toMatchObject([{ path: 'metrics.listen' }]);
  });
});

function read(listen: string, allow: string[] = ['api.example.com']) {
  const section = forwardProxySection({ listen: [{ host: '127.0.0.1', port: 8200 }], metricsListen: '127.0.0.1:9464' });
  const { data = null, error } = section.safeParse({ listen, allow });
  return { config: data, problems: (error?.issues ?? []).map(({ path, message }) => `${path.join('.')}: ${message}`) };
}

describe('forward_proxy', () => {
  it('is off where it is not there', () => {
    expect(forwardProxySection({ listen: [], metricsListen: undefined }).parse(undefined)).toBeNull();
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
    (listen) => expect(read(listen)).toEqual({ config: null, problems: [expect.stringContaining('listen')] }),
  );

  it('has a separate port', () => {
    expect(read('127.0.0.1:8200').problems).toEqual([expect.stringContaining('listen: is a port that the gateway listens on')]);
    expect(read('127.0.0.1:9464').problems).toHaveLength(1);
  });

  it('lists names, in the form that they are compared in, each once', () => {
    expect(read('127.0.0.1:1', ['API.example.com.', 'api.example.com', '*.PyPI.example']).config?.allow).toEqual(['api.example.com', '*.pypi.example']);
    expect(read('127.0.0.1:1', ['*', '10.0.0.1', 'localhost', 'a.example:443']).problems).toHaveLength(4);
  });
});
