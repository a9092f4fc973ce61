// Prefect's API documents are pages with scripts of a third party, on the origin that the session cookie is for.
import { expect, it } from 'vitest';
import { harness } from './one-gateway.ts';

it.each(['/docs', '/redoc', '/api/docs', '/api/redoc'])('%s is held as tightly as the UI: no other host is called, nobody frames it', async (path) => {
  const response = await harness.gateway.fetch(path, { token: harness.viewer });
  expect(response.status).toBe(200);
  const policy = response.headers.get('content-security-policy') ?? '';
  for (const part of ["connect-src 'self'", "frame-ancestors 'self'", "object-src 'none'", "base-uri 'self'", "form-action 'self'"])
    expect(policy).toContain(part);
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
});
