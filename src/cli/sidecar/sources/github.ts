// GitHub Actions' own OIDC endpoint: a job with `permissions: id-token: write` may ask it for a JWT.
import type { Clock } from '../../../contract/clock.ts';
import { AskError, ask, jsonObjectIn } from '../ask.ts';
import { type CredentialSource, expiryOf, isBearer, SourceError } from '../credential.ts';
import type { Transport } from '../transport.ts';

export interface GithubJob {
  /** ACTIONS_ID_TOKEN_REQUEST_URL and _TOKEN. */
  readonly url: URL;
  readonly token: string;
  readonly audience: string;
}

const NAME = "GitHub's OIDC endpoint";

export function githubJob({ url, token, audience }: GithubJob, transport: Transport, clock: Clock): CredentialSource {
  const place = new URL(url);
  place.searchParams.set('audience', audience);
  return {
    name: NAME,
    async obtain(signal) {
      const answer = await ask(transport, place, { headers: { authorization: `Bearer ${token}`, accept: 'application/json' }, signal }).catch(
        (error: unknown) => {
          throw new SourceError(error instanceof AskError ? error.message : `${NAME} cannot be reached.`, { final: false, cause: error });
        },
      );
      if (answer.status !== 200) {
        const final = answer.status >= 400 && answer.status < 500 && answer.status !== 429;
        throw new SourceError(`${NAME} answered ${answer.status}.`, { final });
      }
      const { value: secret } = jsonObjectIn(answer.body);
      if (typeof secret !== 'string' || !isBearer(secret)) throw new SourceError(`${NAME} sent no token.`, { final: false });
      const expiresAtMs = expiryOf(secret);
      if (expiresAtMs === null || expiresAtMs <= clock()) throw new SourceError(`${NAME} sent a token without a future end.`, { final: false });
      return { secret, expiresAtMs, lookAgainMs: null };
    },
  };
}
