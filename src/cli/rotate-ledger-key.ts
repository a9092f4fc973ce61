// `lictor rotate ledger-key`: creates another key, which signs the ledger from now on.
import type { Command } from 'commander';
import { systemClock } from '../contract/clock.ts';
import { changeLedgerKey } from '../record/ledger/chain/open-chain.ts';
import { recordFirst } from './admin.ts';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';

const HELP = `
The old key signs the new one, and the new key signs its predecessor. Then the old key is deleted, and a copy of it can sign no new record.
Exports and heads from before stay valid. The running gateway uses the new key from its next record on.

Example:
  lictor rotate ledger-key
  lictor audit head -o /mnt/elsewhere/head.json
`;

const SHARED = 'Nothing was changed: the nodes of a Postgres store share the key of the ledger, and each must sign with it.';

export function registerLedgerKey(rotate: Command, context: CliContext): void {
  rotate
    .command('ledger-key')
    .description('replace the key that signs the ledger; signatures of the old key stay valid')
    .addHelpText('after', HELP)
    .action(async () => {
      const loaded = await context.loadContext({ secrets: 'skip', store: 'existing' });
      // The other nodes would take no more records of this one.
      if (typeof loaded.config.storeAt !== 'string') throw new CommandFailed(SHARED);
      recordFirst(loaded, { action: 'ledger.rotate_key', resourceType: 'LedgerKey', resourceId: 'ledger' });
      try {
        changeLedgerKey(loaded.paths, systemClock);
      } catch (error) {
        throw new CommandFailed(`The key was not changed: ${error instanceof Error ? error.message : String(error)}`, error);
      }
      context.out.write('Another key signs the ledger from here on. Keep a new head elsewhere: lictor audit head\n');
    });
}
