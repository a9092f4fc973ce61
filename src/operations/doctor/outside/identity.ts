// Identity providers as the gateway reaches them: their metadata or keys, their issuer, and their clock.
import { readFileSync } from 'node:fs';
import type { IdentityProvider } from '../../../config/config.ts';
import type { Clock } from '../../../contract/clock.ts';
import { createOutbound, type Outbound } from '../../../identity/authn/outbound.ts';
import { discoverKeys } from '../../../identity/authn/published-keys.ts';
import { readMetadata } from '../../../identity/authn/saml/metadata.ts';
import { fail, ok, type Verdict } from '../finding.ts';
import { checkClock } from './clock.ts';
import { jsonField } from './http-probe.ts';

export interface IdentitySubject {
  readonly provider: IdentityProvider;
  readonly outboundFor: (caFile: string | null) => Outbound;
  readonly clock: Clock;
}

/** Undefined: the provider needs no check. */
export function identityCheck(subject: IdentitySubject): (() => Promise<readonly Verdict[]>) | undefined {
  const { provider } = subject;
  if (provider.type !== 'oidc' && provider.type !== 'saml' && provider.type !== 'jwt') return undefined;
  return async () => {
    const outbound = subject.outboundFor(provider.caFile);
    const clocks: Verdict[] = [];
    const asked: Pick<Outbound, 'fetch'> = {
      async fetch(url, options) {
        const answer = await outbound.fetch(url, options);
        if (clocks.length === 0) clocks.push(checkClock(provider.id, { headers: Object.fromEntries(answer.headers), atMs: subject.clock() }));
        return answer;
      },
    };
    try {
      return [ok(await look(provider, asked, subject.clock())), ...clocks];
    } catch (error) {
      return [fail(`${provider.id}: ${error instanceof Error ? error.message : 'unknown error'}`, REMEDY[provider.type]), ...clocks];
    } finally {
      await outbound.close();
    }
  };
}

type Asked = Extract<IdentityProvider, { type: 'oidc' | 'saml' | 'jwt' }>;

const REMEDY: Readonly<Record<Asked['type'], string>> = {
  oidc: 'New logins there fail. Check issuer and ca_file in lictor.yaml, and from this machine: curl ISSUER/.well-known/openid-configuration.',
  saml: 'New logins there fail. Check metadata_url or metadata_file and ca_file in lictor.yaml.',
  jwt: 'The gateway rejects its tokens when its cached keys are an hour old. Check issuer, jwks_uri and ca_file in lictor.yaml.',
};

/** Describes what works; throws what does not. */
async function look(provider: Asked, outbound: Pick<Outbound, 'fetch'>, nowMs: number): Promise<string> {
  switch (provider.type) {
    case 'jwt': {
      const keys = await discoverKeys(provider, outbound);
      if (keys.length === 0) throw new Error(`${provider.issuer} publishes no key`);
      return `${provider.id}: ${provider.issuer} publishes ${keys.length === 1 ? 'one key' : `${keys.length} keys`}`;
    }
    case 'oidc': {
      const url = `${provider.issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
      const issuer = jsonField(await textOf(url, outbound), 'issuer');
      if (issuer !== provider.issuer) throw new Error(`${url} is the metadata of ${JSON.stringify(issuer ?? null)}, not of ${provider.issuer}`);
      return `${provider.id}: ${provider.issuer} answers`;
    }
    case 'saml': {
      const { metadata } = provider;
      const text = 'url' in metadata ? await textOf(metadata.url, outbound) : readFileSync(metadata.file, 'utf8');
      return `${provider.id}: metadata of ${readMetadata(text, nowMs).entityId}`;
    }
  }
}

async function textOf(url: string, outbound: Pick<Outbound, 'fetch'>): Promise<string> {
  const answer = await outbound.fetch(url);
  if (answer.status !== 200) throw new Error(`${url} answers ${answer.status}`);
  return answer.text();
}

export function outboundOfDoctor(caFile: string | null): Outbound {
  return createOutbound({ caFile });
}
