// The provider's metadata, read when it is first needed and now and then anew: a provider changes its certificate without asking.
import { readFile } from 'node:fs/promises';
import type { SamlProvider } from '../../../config/config.ts';
import type { Clock, SteadyClock } from '../../../contract/clock.ts';
import { type Outbound, OutboundError } from '../outbound.ts';
import { type IdpMetadata, readMetadata } from './metadata.ts';
import { SamlError } from './xml.ts';

export interface MetadataSource {
  /** Throws OutboundError when it cannot be had, SamlError when it is of no use; what was known before serves on until its own end. */
  current(): Promise<IdpMetadata>;
  /** Read anew, but not by every visitor: for a signature that no known certificate made. Undefined: there is nothing newer. */
  newer(than: IdpMetadata): Promise<IdpMetadata | undefined>;
}

export interface MetadataSourceParts {
  readonly config: Pick<SamlProvider, 'metadata'>;
  readonly outbound: Pick<Outbound, 'fetch'>;
  /** For the end that metadata names. */
  readonly clock: Clock;
  readonly steady: SteadyClock;
}

const MAX_AGE_MS = 10 * 60_000;
/** Between two readings, whatever came out. */
const PAUSE_MS = 5000;

export function createMetadataSource(parts: MetadataSourceParts): MetadataSource {
  const { clock, steady } = parts;
  let known: { readonly metadata: IdpMetadata; readonly readMs: number } | undefined;
  let failed: { readonly error: unknown } | undefined;
  let triedMs = Number.NEGATIVE_INFINITY;
  let reading: Promise<IdpMetadata> | undefined;
  const read = (): Promise<IdpMetadata> => {
    reading ??= load(parts)
      .then(
        (metadata) => {
          known = { metadata, readMs: steady() };
          failed = undefined;
          return metadata;
        },
        (error: unknown) => {
          failed = { error };
          throw error;
        },
      )
      .finally(() => {
        triedMs = steady();
        reading = undefined;
      });
    return reading;
  };
  const rests = (): boolean => steady() - triedMs < PAUSE_MS;
  const isOver = ({ validUntilMs }: IdpMetadata): boolean => validUntilMs !== null && validUntilMs <= clock();
  return {
    async current() {
      if (known === undefined || isOver(known.metadata)) {
        if (failed !== undefined && rests()) throw failed.error;
        return await read();
      }
      if (steady() - known.readMs > MAX_AGE_MS && !rests()) read().catch(() => undefined);
      return known.metadata;
    },
    async newer(than) {
      if (!rests()) await read().catch(() => undefined);
      return known === undefined || sameCertificates(known.metadata, than) ? undefined : known.metadata;
    },
  };
}

function sameCertificates(one: IdpMetadata, other: IdpMetadata): boolean {
  return one.certificates.join() === other.certificates.join();
}

async function load({ config, outbound, clock }: MetadataSourceParts): Promise<IdpMetadata> {
  const { metadata } = config;
  return readMetadata('url' in metadata ? await fetched(metadata.url, outbound) : await fromFile(metadata.file), clock());
}

async function fetched(url: string, outbound: Pick<Outbound, 'fetch'>): Promise<string> {
  const answer = await outbound.fetch(url, { headers: { accept: 'application/samlmetadata+xml, application/xml, text/xml' } });
  if (answer.status !== 200) throw new OutboundError(`${new URL(url).host} answered ${answer.status} instead of its metadata`);
  return await answer.text();
}

async function fromFile(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new SamlError(`${file} cannot be read`, { cause });
  }
}
