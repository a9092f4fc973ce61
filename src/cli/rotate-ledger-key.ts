// `lictor rotate ledger-key`: another key signs the ledger from here on.
import type { Command } from 'commander';
import { systemClock } from '../contract/clock.ts';
import { changeLedgerKey } from '../record/ledger/chain/open-chain.ts';
import { recordFirst } from './admin.ts';
import type { CliContext } from './context.ts';
import { CommandFailed } from './errors.ts';

const HELP = `
The old key signs that the new one follows, the new one that the old one came before it, and the old one is gone: whoever has a copy of it can
sign nothing new. Exports and heads from before stay valid. The running gateway takes the new key with its next record.

Example:
  lictor rotate ledger-key
  lictor audit head -o /mnt/elsewhere/head.json
`;

export function registerLedgerKey(rotate: Command, context: CliContext): void {
  rotate
    .command('ledger-key')
    .description('replace the key that signs the ledger; signatures of the old key stay valid')
    .addHelpText('after', HELP)
    .action(async () => {
      const loaded = await context.loadContext();
      recordFirst(loaded, { action: 'ledger.rotate_key', resourceType: 'LedgerKey', resourceId: 'ledger' });
      try {
        changeLedgerKey(loaded.paths, systemClock);
      } catch (error) {
        throw new CommandFailed(`The key was not changed: ${error instanceof Error ? error.message : String(error)}`, error);
      }
      context.out.write('Another key signs the ledger from here on. Keep a new head elsewhere: lictor audit head\n');
    });
}
