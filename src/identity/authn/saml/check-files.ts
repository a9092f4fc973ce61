// Checks metadata in files before a login needs it: problems for `lictor check` and a reload.
import { readFileSync } from 'node:fs';
import type { Config } from '../../../config/config.ts';
import { type Problem, problemPath } from '../../../config/problem.ts';
import { readMetadata } from './metadata.ts';
import { SamlError } from './xml.ts';

/** For the files of a valid configuration. Metadata at an address is not read: a provider that does not answer is not a problem of the configuration. */
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
    // Messages of SamlError are safe. Others could repeat the content of the file.
    return error instanceof SamlError ? error.message : 'it cannot be read';
  }
}
