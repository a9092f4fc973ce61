// scim: the identity providers that provision their people and groups, each with its own token.
import { z } from 'zod';
import type { ScimTenant } from '../config.ts';
import { type Complaint, reporter } from '../schema/issues.ts';
import { slug } from '../schema/scalars.ts';
import type { Context } from './context.ts';
import { secretFile } from './files.ts';

const LEAST = 32;

function tokenComplaint(token: string): Complaint | undefined {
  if (token.length >= LEAST && token.length <= 512 && /^[A-Za-z0-9._~+/=-]+$/.test(token)) return undefined;
  return { message: 'must hold one token of at least 32 letters and digits', remedy: 'Write one: (umask 077 && openssl rand -hex 32 > FILE).' };
}

/** One provider, or a list. */
export function scimSection(context: Context) {
  const tenant = z.strictObject({
    token_file: secretFile(context, tokenComplaint).describe('File with the token that the provider sends as Authorization: Bearer.'),
    provider: slug.optional().describe('Id of the identity provider whose people and groups it is. Default: the only one of type oidc or saml.'),
  });
  return z
    .union([tenant, z.array(tenant)])
    .transform((given, issues): readonly ScimTenant[] => {
      const logins = (context.providers ?? []).filter(({ type }) => type === 'oidc' || type === 'saml').map(({ id }) => id);
      const report = reporter(issues);
      const tenants = [given].flat().map(({ token_file: token, provider }, index) => {
        const idp = provider ?? (logins.length === 1 ? logins[0] : undefined);
        const place = Array.isArray(given) ? [index, 'provider'] : ['provider'];
        if (context.providers !== undefined && (idp === undefined || !logins.includes(idp)))
          report(place, 'names no identity provider of type oidc or saml', `Write the id of one: ${logins.join(', ') || 'there is none'}.`);
        return { idp: idp ?? '', token };
      });
      reportTwice(tenants, report);
      return tenants;
    })
    .prefault([])
    .describe('SCIM 2.0 at /.lictor/scim/v2: the identity provider provisions and removes people and groups (docs/how-to/scim.md). One, or a list.');
}

function reportTwice(tenants: readonly ScimTenant[], report: ReturnType<typeof reporter>): void {
  const tokens = tenants.flatMap(({ token }) => token ?? []);
  if (new Set(tenants.map(({ idp }) => idp)).size < tenants.length) report([], 'names a provider twice', 'Write one entry for each provider.');
  if (new Set(tokens).size < tokens.length) report([], 'has one token for two providers', 'Give each provider its own token.');
}
