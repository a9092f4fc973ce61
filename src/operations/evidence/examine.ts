// Verifies the ledger for a report, and returns its last head.
import type { StatePaths } from '../../config/state-dir.ts';
import { LictorError } from '../../contract/error.ts';
import { jsonText } from '../../contract/printable.ts';
import { headFile } from '../../record/ledger/chain/export-file.ts';
import { openSignedChain } from '../../record/ledger/chain/open-chain.ts';
import { storeEvidence } from '../../record/ledger/chain/store-evidence.ts';
import { verifyLedger } from '../../record/ledger/chain/verify.ts';
import type { LedgerState } from './data.ts';

export interface Examined {
  readonly state: LedgerState;
  /** In the format of `lictor audit head`. */
  readonly head: string | undefined;
}

export function examine(paths: StatePaths, onRecord: (count: number) => void): Examined {
  try {
    const { db: opened, key } = openSignedChain(paths);
    using db = opened;
    const found = storeEvidence(db, new Map(), onRecord);
    const report = verifyLedger(found, { publicKeys: key === undefined ? null : [key.publicKey], onlyCurrent: key !== undefined, savedHeads: [] });
    const head = found.end === undefined || key === undefined ? undefined : `${jsonText(headFile(found.end, key))}\n`;
    return { state: { report, why: null, key_from: key === undefined ? 'none' : 'gateway' }, head };
  } catch (error) {
    if (!(error instanceof LictorError)) throw error;
    return { state: { report: null, why: error.message, key_from: 'none' }, head: undefined };
  }
}
