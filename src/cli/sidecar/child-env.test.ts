import { describe, expect, it } from 'vitest';
import { childEnvironment } from './child-env.ts';

const LOOPBACK = { url: 'http://127.0.0.1:4711/prefect', secret: 's3cret', publicUrl: 'https://x.example/prefect' };
const BASIC = `Basic ${Buffer.from('lictor:s3cret').toString('base64')}`;

describe('the environment of the started process', () => {
  it('has the loopback address, and the secret in both carriers of stock clients', () => {
    const env = childEnvironment({ PATH: '/bin' }, LOOPBACK);
    expect(env).toEqual({
      PATH: '/bin',
      PREFECT_API_URL: 'http://127.0.0.1:4711/prefect/api',
      PREFECT_API_AUTH_STRING: 'lictor:s3cret',
      PREFECT_CLIENT_CUSTOM_HEADERS: JSON.stringify({ Authorization: BASIC }),
      PREFECT_UI_URL: 'https://x.example/prefect',
      NO_PROXY: '127.0.0.1,localhost',
      no_proxy: '127.0.0.1,localhost',
    });
  });

  it('replaces every credential that was there, and keeps other custom headers and the link of its owner', () => {
    const custom = JSON.stringify({ authorization: 'Bearer old', 'X-LICTOR-TOKEN': 'old', 'X-Team': 'a' });
    const env = childEnvironment(
      {
        PREFECT_API_KEY: 'old',
        PREFECT_API_AUTH_STRING: 'a:old',
        PREFECT_CLIENT_CUSTOM_HEADERS: custom,
        PREFECT_API_URL: 'https://x/api',
        PREFECT_UI_URL: 'https://ui',
      },
      LOOPBACK,
    );
    expect(JSON.stringify(env)).not.toContain('old');
    expect(env['PREFECT_CLIENT_CUSTOM_HEADERS']).toBe(JSON.stringify({ 'X-Team': 'a', Authorization: BASIC }));
    expect(env['PREFECT_UI_URL']).toBe('https://ui');
  });

  it.each([
    ['corp.example, 10.0.0.0/8', 'corp.example,10.0.0.0/8,127.0.0.1,localhost'],
    ['*', '*'],
    ['127.0.0.1', '127.0.0.1,localhost'],
  ])('is not asked for through a proxy: NO_PROXY=%s', (given, expected) => {
    const env = childEnvironment({ no_proxy: given, HTTP_PROXY: 'http://proxy' }, LOOPBACK);
    expect([env['NO_PROXY'], env['no_proxy'], env['HTTP_PROXY']]).toEqual([expected, expected, 'http://proxy']);
  });

  it.each(['not json', '[]', 'null', '{"X-Team": 1}'])('takes custom headers that Prefect would refuse for none: %s', (custom) => {
    const env = childEnvironment({ PREFECT_CLIENT_CUSTOM_HEADERS: custom }, LOOPBACK);
    expect(env['PREFECT_CLIENT_CUSTOM_HEADERS']).toBe(JSON.stringify({ Authorization: BASIC }));
  });
});
