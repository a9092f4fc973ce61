// What is wrong with a backup, each with its remedy. A restore changes nothing before it has read the whole backup.
import { LictorError } from '../../contract/error.ts';

const NOTHING = 'Nothing was changed.';

export function foreign(): LictorError {
  return new LictorError('backup-foreign', `This is no backup of Lictor. ${NOTHING} Name a file that lictor backup wrote.`);
}

export function wrongKey(): LictorError {
  return new LictorError(
    'backup-key',
    `This key or passphrase does not open the backup. ${NOTHING} Give the identity of one of its recipients (--identity), or its passphrase (--passphrase-file).`,
  );
}

export function newer(version: string): LictorError {
  return new LictorError('backup-newer', `A newer Lictor (${version}) wrote this backup. ${NOTHING} Install that version, and restore with it.`);
}

export function older(version: string): LictorError {
  return new LictorError('backup-older', `An older Lictor (${version}) wrote this backup. ${NOTHING} Restore it with that version, and upgrade then.`);
}

export function damaged(why: string, cause?: unknown): LictorError {
  return new LictorError('backup-damaged', `The backup is damaged: ${why}. ${NOTHING} Take another copy of it, or an earlier backup.`, { cause });
}
