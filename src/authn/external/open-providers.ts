// Every provider of lictor.yaml that people log in at, each with a way out of its own.
import type { Config } from '../../config/config.ts';
import type { Clock } from '../../contract/clock.ts';
import type { Marks } from '../../store/marks.ts';
import { createOidcProvider } from '../oidc/provider.ts';
import { createOutbound, type Outbound } from '../outbound.ts';
import type { ExternalProvider } from './provider.ts';

export interface OpenProviders {
  /** In the order of lictor.yaml. Nobody has been asked yet: a provider that is away keeps no gateway from starting. */
  readonly providers: readonly ExternalProvider[];
  close(): Promise<void>;
}

export interface OpenProvidersParts {
  readonly config: Pick<Config, 'identityProviders'>;
  readonly marks: Pick<Marks, 'once'>;
  readonly clock: Clock;
}

export function openProviders({ config, marks, clock }: OpenProvidersParts): OpenProviders {
  const outbounds: Outbound[] = [];
  const providers = config.identityProviders.flatMap((provider): readonly ExternalProvider[] => {
    if (provider.type !== 'oidc') return [];
    const outbound = createOutbound({ caFile: provider.caFile });
    outbounds.push(outbound);
    return [createOidcProvider({ config: provider, outbound, marks, clock })];
  });
  return {
    providers,
    async close() {
      await Promise.all(outbounds.map((outbound) => outbound.close()));
    },
  };
}
