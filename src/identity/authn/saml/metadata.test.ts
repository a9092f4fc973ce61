// The provider's metadata: what is taken from it, and what makes it useless.
import { beforeAll, describe, expect, it } from 'vitest';
import { at, ENTITY, metadataText, NOW_MS, newKey, type SigningKey } from './idp.fixture.ts';
import { readMetadata } from './metadata.ts';

let key: SigningKey;
let other: SigningKey;
beforeAll(async () => {
  [key, other] = await Promise.all([newKey(), newKey()]);
});

/** 1024 bits: made for this test, its key thrown away. */
const SMALL_KEY =
  'MIIB/DCCAWWgAwIBAgIUKZ4q/Lhm3MB7GB9vECJTGS2vOCswDQYJKoZIhvcNAQELBQAwEDEOMAwGA1UEAwwFc21hbGwwHhcNMjYxMTI1MTc1MzA3WhcNMzYxMTIyMTc1MzA3WjAQMQ4wDAYDVQQDDAVzbWFsbDCBnzANBgkqhkiG9w0BAQEFAAOBjQAwgYkCgYEAzSf2doHLVXYVEKf+XSHBHdp/RMnd6vSvJRuhQFmuxxciYkqr694HDrqGr9jAMLlrrkOZlZ5AoKCOhDa1T8AOA4p85oFG/XYuAWpmBFiTESxotuORYpjljA6TLRyICQMfxl2pza/xDpVegdRDNNAtA5TrThD7icjsVSgr669+dzcCAwEAAaNTMFEwHQYDVR0OBBYEFMzebmfuUTk6K2fRs1Du7yNMdNKLMB8GA1UdIwQYMBaAFMzebmfuUTk6K2fRs1Du7yNMdNKLMA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADgYEAHJ1H/FFMyyqXvLc8b5tThc1M3wxBBY1VxLVqMxLOFb3LLzQw2d5UsZJUh1otCsvCG5cd2f6nnZ8xwwS1ZKN4IhKob1154yznErcHtMQE+78mjDBC3TQWiLEaE3Sk3tju5l1L7YsdTBXYTYlhqjT7A8e+IroQXal+i6zGC3bGJ2I=';

describe('metadata', () => {
  it('contains the name, the addresses and all certificates for signing', () => {
    expect(readMetadata(metadataText({ keys: [key, other] }), NOW_MS)).toEqual({
      entityId: ENTITY,
      loginUrl: 'https://idp.example/sso?tenant=1',
      logoutUrl: 'https://idp.example/slo',
      logoutAnswerUrl: 'https://idp.example/slo/answer',
      certificates: [key.certificate, other.certificate],
      validUntilMs: null,
    });
  });

  it('may be in a list of one, with comments and a byte order mark', () => {
    const list = `\uFEFF<?xml version="1.0"?><!-- ours --><md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">${metadataText({ keys: [key] })}</md:EntitiesDescriptor>`;
    expect(readMetadata(list, NOW_MS).entityId).toBe(ENTITY);
  });

  it.each([
    ['http://idp.localhost:9', true],
    ['http://127.1.2.3', true],
    ['http://localhost.example.com', false],
    ['http://idp.example', false],
  ])('may have a login at %s: %s', (origin, taken) => {
    const read = () => readMetadata(metadataText({ keys: [key] }).replaceAll('https://idp.example/sso', `${origin}/sso`), NOW_MS);
    if (taken) expect(read().loginUrl).toBe(`${origin}/sso?tenant=1`);
    else expect(read).toThrowError(/no https address/);
  });

  it('without a logout by HTTP-Redirect has none', () => {
    expect(readMetadata(metadataText({ keys: [key] }).replace(/<md:SingleLogoutService.*?\/>/, ''), NOW_MS)).toMatchObject({
      logoutUrl: null,
      logoutAnswerUrl: null,
    });
  });

  it.each<[string, (text: string) => string, RegExp]>([
    ['no provider', (text) => text.replaceAll('IDPSSODescriptor', 'SPSSODescriptor'), /describes 0 identity providers/],
    ['one of SAML 1.1', (text) => text.replace('SAML:2.0:protocol', 'SAML:1.1:protocol'), /describes 0 identity providers/],
    [
      'two providers',
      (text) => `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">${text}${text}</md:EntitiesDescriptor>`,
      /describes 2 identity providers/,
    ],
    ['no name', (text) => text.replace(`entityID="${ENTITY}"`, ''), /no entityID/],
    ['no certificate', (text) => text.replace(/<md:KeyDescriptor.*<\/md:KeyDescriptor>/, ''), /no certificate for signing/],
    ['a certificate for encryption alone', (text) => text.replaceAll('use="signing"', 'use="encryption"'), /no certificate for signing/],
    ['a key of 1024 bits', (text) => text.replace(/(<ds:X509Certificate>).*?</, `$1${SMALL_KEY}<`), /no certificate for signing/],
    ['a certificate that is none', (text) => text.replace(/(<ds:X509Certificate>).*?</, '$1QUJD<'), /cannot be read/],
    [
      'no login by address',
      (text) => text.replace('HTTP-Redirect" Location="https://idp.example/sso', 'HTTP-POST" Location="https://idp.example/sso'),
      /no SingleSignOnService/,
    ],
    ['a login in plain http', (text) => text.replace('https://idp.example/sso', 'http://idp.example/sso'), /no https address/],
    ['a login by script', (text) => text.replace('https://idp.example/sso', 'javascript:alert(1)//'), /no https address/],
    ['an end that has come', (text) => text.replace('entityID', `validUntil="${at(-1)}" entityID`), /no longer valid/],
    ['an entity', (text) => `<!DOCTYPE x [<!ENTITY a "b">]>${text}`, /declaration/],
  ])('is of no use with %s', (_what, change, problem) => {
    expect(() => readMetadata(change(metadataText({ keys: [key] })), NOW_MS)).toThrow(problem);
  });
});
