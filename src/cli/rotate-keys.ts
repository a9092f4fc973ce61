// `lictor rotate keys`: creates another key pair for the gateway's signatures. The former public key stays published while its signatures are valid.
import type { Command } from 'commander';
import { openKeys } from '../app/share-keys.ts';
import { openSigningKeys, SIGNING_KEY_LIMITS } from '../config/keys/signing-keys.ts';
import { recordFirst, withStore } from './admin.ts';
import type { CliContext } from './context.ts';

export function registerRotateKeys(rotate: Command, context: CliContext): void {
  rotate
    .command('keys')
    .description('create a new key pair for ID tokens; the former public key stays published for a day')
    .addHelpText('after', '\nIt is replaced by itself every 90 days. Works while the gateway runs.\n\nExample:\n  lictor rotate keys\n')
    .action(() => rotateKeys(context));
}

function rotateKeys(context: CliContext): Promise<void> {
  return withStore(context, async (session) => {
    const { sealer, signingText: stored } = await openKeys(session.config.storeAt, session.store.sharedKeys, session.paths);
    const keys = openSigningKeys({ stored, sealer, clock: session.store.clock });
    recordFirst(session, { action: 'keys.rotate', resourceType: 'SigningKey', resourceId: 'signing' });
    const kid = await keys.rotate();
    const hours = SIGNING_KEY_LIMITS.overlapMs / 3_600_000;
    context.out.write(`The new key is ${kid}. The former one stays published for ${hours} hours.\n`);
  });
}
