// Keys that name a file: they check its content, which becomes the value.
import { resolve } from 'node:path';
import type { z } from 'zod';
import { type Complaint, checkedBy, reject, reporter } from '../schema/issues.ts';
import { filePath } from '../schema/scalars.ts';
import type { Files } from './context.ts';
import { readPemFile } from './pem-file.ts';
import { readSecretFile } from './secret-file.ts';

/** Becomes the absolute path. `signed`: "the provider's certificate". */
export function authoritiesFile({ baseDir }: Pick<Files, 'baseDir'>, signed: string) {
  return filePath
    .transform((path, issues) => {
      const file = resolve(baseDir, path);
      return readPemFile(file) === null ? reject(issues, noPem(file, signed)) : file;
    })
    .describe(`Authorities that signed ${signed}, PEM. Default: those of the system.`);
}

export function noPem(file: string, signed: string): Complaint {
  return { message: `${file} cannot be read as PEM certificates`, remedy: `Give the certificates of the authorities that signed ${signed}, as PEM.` };
}

export interface Secret extends Pick<Files, 'secrets'> {
  readonly complaintOf: (secret: string) => Complaint | undefined;
}

/** The text of a file without the last line break; null if secrets are skipped. After a reported problem, the answer does not count. */
export function readSecret(file: string, { secrets, complaintOf }: Secret, issues: z.RefinementCtx): string | null {
  if (secrets === 'skip') return null;
  const secret = readSecretFile(file, [], reporter(issues))?.replace(/\r?\n$/, '') ?? null;
  if (secret !== null) checkedBy(complaintOf)(secret, issues);
  return secret;
}

/** Becomes the secret; null if secrets are skipped. */
export function secretFile({ baseDir, secrets }: Pick<Files, 'baseDir' | 'secrets'>, complaintOf: Secret['complaintOf']) {
  return filePath.transform((path, issues) => readSecret(resolve(baseDir, path), { secrets, complaintOf }, issues));
}
