import { afterAll, describe, expect, it } from 'vitest';
import { openTestFile } from '../test-file.ts';

const file = openTestFile();
const { accepted, problems } = file;
afterAll(() => file.remove());

const withMetrics = (listen: string): string =>
  `public_url: http://localhost:8200\nprefect: { url: "http://127.0.0.1:4200" }\nmetrics: { listen: "${listen}" }\n`;

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
