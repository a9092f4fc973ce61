import { expect, it } from 'vitest';
import { publicUrlSection } from '../../config/sections/public-url.ts';
import { renderTransportSecurity } from './render-maps.ts';

function pinned(text: string): boolean {
  return renderTransportSecurity({ publicUrl: publicUrlSection.parse(text) }) !== '';
}

it('a host name without other users is https for good', () => expect(pinned('https://prefect.example.com')).toBe(true));

it.each([
  'https://prefect.example.com:8443',
  'https://example.com/prefect',
  'https://localhost',
  'https://192.0.2.1',
  'https://[2001:db8::1]',
  'http://localhost',
])('not where others share it, or a browser would not take it: %s', (url) => expect(pinned(url)).toBe(false));
