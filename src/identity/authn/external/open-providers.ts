// The identity providers of lictor.yaml that people log in at.
import type { Made } from '../../../config/certificates/make.ts';
import type { Config } from '../../../config/config.ts';
import type { Clock, SteadyClock } from '../../../contract/clock.ts';
import { OWN_PREFIX } from '../../../contract/names.ts';
import type { Marks } from '../../../store/marks.ts';
import { createOidcProvider } from '../oidc/provider.ts';
import type { Outbounds } from '../outbounds.ts';
import { createSamlProvider } from '../saml/provider.ts';
import type { ExternalProvider } from './provider.ts';

/** A person may wait longer than a decision. */
export const LOGIN_TIMEOUT_MS = 5000;

export interface OpenProvidersParts {
  readonly config: Pick<Config, 'identityProviders' | 'publicUrl'>;
  readonly outboundFor: Outbounds['to'];
  /** Creates the signer of Lictor's messages to SAML providers, or reads it. */
  readonly samlSigner: () => Promise<Made>;
  readonly marks: Pick<Marks, 'once'>;
  readonly clock: Clock;
  readonly steady: SteadyClock;
}

/** In the order of lictor.yaml. Sends no requests: the gateway starts although a provider does not answer. */
export function openProviders({ config, outboundFor, samlSigner, marks, clock, steady }: OpenProvidersParts): readonly ExternalProvider[] {
  const { origin, basePath } = config.publicUrl;
  return config.identityProviders.flatMap((provider): readonly ExternalProvider[] => {
    if (provider.type !== 'oidc' && provider.type !== 'saml') return [];
    const parts = { outbound: outboundFor(provider.caFile), marks, clock, steady };
    if (provider.type === 'oidc') return [createOidcProvider({ config: provider, ...parts })];
    return [createSamlProvider({ config: provider, ...parts, ownUrl: `${origin}${basePath}${OWN_PREFIX}saml/${provider.id}`, signer: samlSigner })];
  });
}
