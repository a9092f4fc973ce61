import { getCACertificates } from 'node:tls';
import { expect, it } from 'vitest';
import { systemAuthorities, trustedAuthorities } from './authorities.ts';

it('the authorities of Node and of the system are listed once each', () => {
  const listed = systemAuthorities();
  expect(new Set(listed)).toEqual(new Set([...getCACertificates('default'), ...getCACertificates('system')]));
  expect(listed).toHaveLength(new Set(listed).size);
  expect(trustedAuthorities({})).toEqual(listed);
});
