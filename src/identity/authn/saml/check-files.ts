// Metadata that stands in files, before anybody logs in by it: what `lictor check` and a reload have to say of it.
import { readFileSync } from 'node:fs';
import type { Config } from '../../../config/config.ts';
import { type Problem, problemPath } from '../../../config/problem.ts';
import { readMetadata } from './metadata.ts';
import { SamlError } from './xml.ts';

/** Those of a sound configuration; what is fetched from an address is not looked at: a provider that is away is no problem of the file. */
export function checkMetadataFiles({ identityProviders }: Pick<Config, 'identityProviders'>, nowMs: number): readonly Problem[] {
  return identityProviders.flatMap((provider, index): readonly Problem[] => {
    if (provider.type !== 'saml' || !('file' in provider.metadata)) return [];
    const message = problemOf(provider.metadata.file, nowMs);
    if (message === undefined) return [];
    const remedy = 'Bring the metadata of the identity provider anew: an EntityDescriptor of SAML 2.0, as XML.';
    return [{ path: problemPath(['identity_providers', index, 'metadata_file']), message: `${provider.metadata.file} is of no use: ${message}`, remedy }];
  });
}

function problemOf(file: string, nowMs: number): string | undefined {
  try {
    readMetadata(readFileSync(file, 'utf8'), nowMs);
    return undefined;
  } catch (error) {
    // Ours say what is wrong; others could repeat what stands in the file.
    return error instanceof SamlError ? error.message : 'it cannot be read';
  }
}
