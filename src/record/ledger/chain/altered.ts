// The error for a foreign change of the ledger: Lictor does not continue such a ledger.
import { LictorError } from '../../../contract/error.ts';

export function altered(detail: string): LictorError {
  return new LictorError(
    'ledger-altered',
    'The ledger was changed by something else than the gateway: lictor audit verify says where. Keep it as evidence, and move it away to begin a new one.',
    { detail },
  );
}
