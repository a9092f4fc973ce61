// The files of the state directory that a backup holds, and the configuration in use. Keys of single flow runs and signatures are not among them.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { Config } from '../../config/config.ts';
import type { StatePaths } from '../../config/state-dir.ts';
import { LictorError } from '../../contract/error.ts';
import { type FileLine, isFileName } from './lines.ts';

export interface FileParts {
  readonly paths: StatePaths;
  readonly config: Pick<Config, 'policies'>;
  readonly configFile: string;
}

/**
 * Read them before the ledger: the positions of exports are then never beyond its end. A restore makes new keys for tokens of runs, for signatures
 * that others check, and for nginx, so that none from before holds. The ledger's key comes with the ledger.
 */
export function stateFiles({ paths, config, configFile }: FileParts): readonly FileLine[] {
  const { sealKey, samlSigner, announced, configInUse, ownCertificate } = paths;
  const own = [...filesIn(paths.exports), announced, configInUse, sealKey, samlSigner, ...filesIn(ownCertificate.dir)];
  const policies = config.policies === null ? [] : filesIn(config.policies).filter((file) => /\.(?:cedar|vectors\.yaml)$/.test(file));
  return [
    ...own.flatMap((file) => lineOf(relative(paths.root, file), file)),
    ...lineOf('lictor.yaml', existsSync(configInUse) ? configInUse : configFile),
    ...policies.flatMap((file) => lineOf(join('policies', relative(config.policies ?? '', file)), file)),
  ];
}

export function fileLine(name: string, content: Buffer | string): FileLine {
  return { file: name, content: Buffer.from(content).toString('base64') };
}

function filesIn(directory: string): readonly string[] {
  if (!existsSync(directory)) return [];
  const entries = readdirSync(directory, { withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => join(directory, name));
}

function lineOf(name: string, file: string): readonly FileLine[] {
  if (!existsSync(file)) return [];
  if (!isFileName(name)) throw new LictorError('backup-file-name', `A backup cannot hold ${file}: give it a name without control characters.`);
  return [fileLine(name, readFileSync(file))];
}
