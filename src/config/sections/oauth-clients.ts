// oauth_clients: the clients that people may log in with, beside the command line of Lictor.
import { z } from 'zod';
import { isRedirectUri } from '../../contract/redirect-uri.ts';
import type { OAuthClientEntry } from '../config.ts';
import { says, withoutDuplicates } from '../schema/issues.ts';
import { text } from '../schema/scalars.ts';
import { hostPattern } from './extra-listeners.ts';

const redirectUri = text.refine(
  isRedirectUri,
  says(
    'is no redirect URI',
    'Write https://app.example.com/callback, http://127.0.0.1/callback for a program on the own computer (any port), or app:/callback.',
  ),
);

/** Not the address of a metadata document, and not a client that Lictor has. */
const clientId = z
  .string()
  .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/, 'must be letters, digits and inner dots, hyphens and underscores, at most 63')
  .refine((id) => id !== 'lictor-cli', says('is the command line of Lictor', 'Give the client another id.'));

const client = z
  .strictObject({
    id: clientId.describe('client_id, as the client is configured with it.'),
    name: text.max(60).optional().describe('Shown to the person who allows it. Default: the id.'),
    redirect_uris: z
      .array(redirectUri)
      .min(1)
      .describe('Where the client gets the code, exactly; on loopback (http://127.0.0.1, http://[::1], http://localhost) any port.'),
  })
  .transform(({ id, name = id, redirect_uris: redirectUris }): OAuthClientEntry => ({ id, name, redirectUris }));

export const oauthClientsSection = z
  .array(client)
  .superRefine(...withoutDuplicates('id', (id) => [`${String(id)} stands twice`, 'Give each client its own id.'], ['id']))
  .prefault([])
  .describe('OAuth clients that people may log in with, by authorization code and PKCE: docs/how-to/oauth-clients.md. They have no secret.');

export const oauthClientHostsSection = z
  .array(hostPattern)
  .prefault([])
  .transform((hosts): readonly string[] => [...new Set(hosts)])
  .describe('Hosts whose clients people may log in with: the client_id is the https address of a metadata document there. *. stands for all below.');
