import { expect, it } from 'vitest';
import { shellLines } from './shell-lines.ts';

it('each variable is one line with one word', () => {
  const lines = shellLines({ PREFECT_API_URL: 'https://x.example/api', PREFECT_API_SSL_CERT_FILE: "/the gateway's/ca.pem; rm -rf" });
  expect(lines).toBe(`export PREFECT_API_URL=https://x.example/api\nexport PREFECT_API_SSL_CERT_FILE='/the gateway'\\''s/ca.pem; rm -rf'`);
});
