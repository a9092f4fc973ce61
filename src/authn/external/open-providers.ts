// Every provider of lictor.yaml that people log in at.
import type { Config } from '../../config/config.ts';
import type { Clock } from '../../contract/clock.ts';
import type { Marks } from '../../store/marks.ts';
import { createOidcProvider } from '../oidc/provider.ts';
import type { Outbounds } from '../outbounds.ts';
import type { ExternalProvider } from './provider.ts';

/** A person waits longer than a decision may. */
export const LOGIN_TIMEOUT_MS = 5000;

export interface OpenProvidersParts {
  readonly config: Pick<Config, 'identityProviders'>;
  readonly outboundFor: Outbounds['to'];
  readonly marks: Pick<Marks, 'once'>;
  readonly clock: Clock;
}

/** In the order of lictor.yaml. Nobody has been asked yet: a provider that is away keeps no gateway from starting. */
export function openProviders({ config, outboundFor, marks, clock }: OpenProvidersParts): readonly ExternalProvider[] {
  return config.identityProviders.flatMap((provider): readonly ExternalProvider[] =>
    provider.type === 'oidc' ? [createOidcProvider({ config: provider, outbound: outboundFor(provider.caFile), marks, clock })] : [],
  );
}
