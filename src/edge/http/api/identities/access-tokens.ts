// Access tokens: short-lived, issued for the proof of another provider. GET lists the live ones, DELETE revokes one.
import { z } from 'zod';
import { type AccessTokenJson, accessTokenJson } from '../../../../identity/manage/access-token-json.ts';
import { pageOf } from '../../../../identity/manage/page.ts';
import { apiRoute } from '../api-route.ts';
import { recordOrThrow, refusing, takeEffect } from './changes.ts';
import { list, next, PAGE, text } from './shapes.ts';

const accessToken = z
  .strictObject({
    id: z.string(),
    principal: z.string(),
    idp: text,
    on_behalf_of: list,
    given_for: z.string().describe('The proof that it was exchanged for'),
    created_at: z.string(),
    expires_at: z.string(),
  })
  .meta({ id: 'AccessToken' }) satisfies z.ZodType<AccessTokenJson>;

export const accessTokens = apiRoute({
  method: 'GET',
  path: '/access-tokens',
  summary: 'List the exchanged access tokens that are live',
  needs: { action: 'access.read' },
  query: z.strictObject(PAGE),
  answer: z.strictObject({ access_tokens: z.array(accessToken).readonly(), next }),
  async handle({ query, parts }) {
    const page = pageOf(await parts.store.accessTokens.live(), query, ({ id }) => id);
    return { ok: true, body: { access_tokens: page.items.map(accessTokenJson), next: page.next } };
  },
});

export const revokeAccessToken = apiRoute({
  method: 'DELETE',
  path: '/access-tokens/{id}',
  summary: 'Revoke an exchanged access token, and the tokens of the runs that it began',
  needs: { action: 'access.write' },
  params: z.strictObject({ id: z.string().regex(/^[0-9a-z]{1,64}$/) }),
  answer: z.strictObject({ revoked: z.string() }),
  handle: ({ params: { id }, parts, record }) =>
    refusing(async () => {
      const { accessTokens: stored } = parts.store;
      const notThere = { ok: false, code: 'not-found', detail: 'There is no live access token with this id.' } as const;
      if (!(await stored.live()).some((each) => each.id === id)) return notThere;
      await recordOrThrow(record, { action: 'token.revoke', resource_type: 'AccessToken', resource_id: id });
      if (!(await stored.revoke(id))) return notThere;
      await takeEffect(parts);
      return { ok: true, body: { revoked: id } };
    }),
});
