// The code that reads and writes XML, loaded at the first use of a SAML provider: a start without one does not wait for it.

export { identityOf } from './identity.ts';
export { readLogout } from './logout-message.ts';
export { loginRequest, logoutAnswer, logoutRequest, renderOwnMetadata } from './messages.ts';
export { createMetadataSource } from './metadata-source.ts';
export { readResponse } from './response.ts';
