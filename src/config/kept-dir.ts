// Where nginx keeps answers of services: a directory for each, in the one that nginx's workers may write to.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const PREFIX = 'kept-';

/** Of each service, so that one cannot push out what is kept of another. */
export const MOST_KEPT_MIB = 128;

export function keptDir(tempDir: string, service: string): string {
  return join(tempDir, `${PREFIX}${service}`);
}

/** All that are there, of whatever configuration, with what was about to be removed. */
export function keptDirs(tempDir: string): readonly string[] {
  try {
    return readdirSync(tempDir)
      .filter((name) => name.startsWith(PREFIX))
      .map((name) => join(tempDir, name));
  } catch {
    return []; // nothing was ever kept
  }
}
