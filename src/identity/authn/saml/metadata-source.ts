// The metadata of a SAML IdP, cached and read again from time to time: IdPs change their certificates without notice.
import { readFile } from 'node:fs/promises';
import type { SamlProvider } from '../../../config/config.ts';
import type { Clock, SteadyClock } from '../../../contract/clock.ts';
import { type Outbound, OutboundError } from '../outbound.ts';
import { createPublished, type PublishedStatus } from '../published.ts';
import { type IdpMetadata, readMetadata } from './metadata.ts';
import { SamlError } from './xml.ts';

export interface MetadataSource {
  status(): PublishedStatus;
  /** Throws OutboundError or SamlError if it cannot be read. Cached metadata is used until its `validUntil` while the IdP does not answer. */
  current(): Promise<IdpMetadata>;
  /** Read again, but not for every visitor: for a signature of an unknown certificate. Undefined: the certificates are the same. */
  newer(than: IdpMetadata): Promise<IdpMetadata | undefined>;
}

export interface MetadataSourceParts {
  readonly config: Pick<SamlProvider, 'metadata'>;
  readonly outbound: Pick<Outbound, 'fetch'>;
  /** For `validUntil`. */
  readonly clock: Clock;
  readonly steady: SteadyClock;
}

const MAX_AGE_MS = 10 * 60_000;
/** Between two reads, after success and failure. */
const PAUSE_MS = 5000;

export function createMetadataSource(parts: MetadataSourceParts): MetadataSource {
  const published = createPublished({ load: () => load(parts), steady: parts.steady, failurePauseMs: PAUSE_MS });
  const isOver = ({ validUntilMs }: IdpMetadata): boolean => validUntilMs !== null && validUntilMs <= parts.clock();
  return {
    status: published.status,
    async current() {
      const known = published.latest();
      if (known === undefined || isOver(known.value)) return await published.read();
      if (known.ageMs > MAX_AGE_MS) published.read(PAUSE_MS).catch(() => undefined);
      return known.value;
    },
    async newer(than) {
      await published.read(PAUSE_MS).catch(() => undefined);
      const known = published.latest();
      return known === undefined || sameCertificates(known.value, than) ? undefined : known.value;
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
