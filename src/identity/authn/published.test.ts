// What a status says about the reads of something published.
import { expect, it } from 'vitest';
import { createPublished } from './published.ts';

it('has the age of the last value and the last failure, also after a later success', async () => {
  let now = 0;
  let answer: () => Promise<string> = () => Promise.reject(new Error('idp.example answered 500'));
  const published = createPublished({ load: () => answer(), steady: () => now, failurePauseMs: 0 });
  expect(published.status()).toEqual({ ageMs: null, failure: null });
  await expect(published.read()).rejects.toThrow('500');
  now = 1000;
  answer = async () => 'metadata';
  await published.read();
  now = 3000;
  expect(published.status()).toEqual({ ageMs: 2000, failure: { message: 'idp.example answered 500', ageMs: 3000 } });
});
