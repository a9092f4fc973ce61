// A flow run's id as people paste it: with or without hyphens, in any case.
import { InvalidArgumentError } from 'commander';

/** Lower case and hyphenated, as the ledger has it. Throws commander's error, which ends in exit 2. */
export function parseRunId(text: string): string {
  const hex = text.replaceAll('-', '').toLowerCase();
  const match = /^([0-9a-f]{8})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{4})([0-9a-f]{12})$/.exec(hex);
  if (match === null) throw new InvalidArgumentError('a flow run is named by its id, a UUID: prefect flow-run ls shows it.');
  return match.slice(1).join('-');
}
