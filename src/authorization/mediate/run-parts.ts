// What the families need to know of the tokens of flow runs.

import type { Config } from '../../config/config.ts';
import type { Clock } from '../../contract/clock.ts';
import type { NewRecord } from '../../contract/record.ts';
import type { RunTokenDesk } from '../../identity/authn/run-token/open.ts';
import type { Lookup } from '../../prefect/client/lookup.ts';
import type { Ledger } from '../../record/ledger/ledger.ts';

export interface RunParts {
  readonly desk: RunTokenDesk;
  /** Objects of Prefect as they were some seconds ago. */
  readonly recent: Lookup;
  /** Who has made an object through the gateway; null: not known. */
  readonly makerOf: (type: 'Automation', id: string) => Promise<string | null>;
  /** The address of the API, for runs whose author has written another one. */
  readonly apiUrl: string;
  readonly record: (record: Omit<NewRecord, 'time'>) => Promise<void>;
  readonly warn: (message: string, error: unknown) => void;
}

export interface RunRoom extends Pick<RunParts, 'desk' | 'recent' | 'makerOf' | 'warn'> {
  readonly config: { readonly publicUrl: Pick<Config['publicUrl'], 'origin' | 'basePath'> };
  readonly ledger: Pick<Ledger, 'append'>;
  readonly clock: Clock;
  readonly revision: number;
}

export function createRunParts({ config, ledger, clock, revision, ...parts }: RunRoom): RunParts {
  const { origin, basePath } = config.publicUrl;
  return {
    ...parts,
    apiUrl: `${origin}${basePath}/api`,
    record: (record) => ledger.append({ time: new Date(clock()).toISOString(), mode: 'enforce', revision, ...record }),
  };
}
