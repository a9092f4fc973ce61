// The names of SAML 2.0 and XML Signature that Lictor accepts. It rejects any other.

export const NS = {
  protocol: 'urn:oasis:names:tc:SAML:2.0:protocol',
  assertion: 'urn:oasis:names:tc:SAML:2.0:assertion',
  metadata: 'urn:oasis:names:tc:SAML:2.0:metadata',
  signature: 'http://www.w3.org/2000/09/xmldsig#',
} as const;

export const BINDING = {
  redirect: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect',
  post: 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST',
} as const;

export const FORMAT = {
  transient: 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient',
  persistent: 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent',
} as const;

export const BEARER = 'urn:oasis:names:tc:SAML:2.0:cm:bearer';
export const SUCCESS = 'urn:oasis:names:tc:SAML:2.0:status:Success';

/** RSA with SHA-256 or better. SHA-1 is in none of these lists. */
export const SIGNATURE_METHODS: ReadonlyMap<string, string> = new Map([
  ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha256', 'RSA-SHA256'],
  ['http://www.w3.org/2001/04/xmldsig-more#rsa-sha512', 'RSA-SHA512'],
]);
export const DIGEST_METHODS: ReadonlySet<string> = new Set(['http://www.w3.org/2001/04/xmlenc#sha256', 'http://www.w3.org/2001/04/xmlenc#sha512']);
/** Without comments: neither the signed nor the parsed form has them. */
export const CANONICALIZATION = 'http://www.w3.org/2001/10/xml-exc-c14n#';
export const TRANSFORMS: ReadonlySet<string> = new Set(['http://www.w3.org/2000/09/xmldsig#enveloped-signature', CANONICALIZATION]);

/** The clocks of provider and gateway may differ by this. */
export const SKEW_MS = 30_000;
