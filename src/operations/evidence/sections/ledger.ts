// Whether the ledger is unchanged, and what it cannot prove.
import type { Report } from '../../../record/ledger/chain/report.ts';
import { SUPPORTS } from '../controls.ts';
import type { EvidenceData, LedgerState } from '../data.ts';
import { type Block, count, minute, note, type Section, several, table } from '../document.ts';

const OWN_LIFE = /^(?:gateway|edge|ledger)\./;

export function isProven({ report, key_from: key }: LedgerState): boolean {
  return report !== null && report.problems.length === 0 && key === 'gateway';
}

/** Null: the ledger is proven. */
export function whyNotProven(ledger: LedgerState): string | null {
  return isProven(ledger) ? null : (ledger.report?.problems[0]?.message ?? ledger.why ?? 'its key is gone');
}

export function ledgerSection({ ledger, events, gateway }: EvidenceData): Section {
  const own = events.filter(({ action }) => OWN_LIFE.test(action));
  const retention = gateway.ledger_retention_seconds === null ? 'for ever' : `for ${several(Math.round(gateway.ledger_retention_seconds / 86_400), 'day')}`;
  return {
    id: 'ledger',
    title: 'The ledger: whether it is complete and unchanged',
    supports: SUPPORTS.ledger,
    lead: 'Each record is hashed together with the one before, and each batch ends with an Ed25519-signed head. Lictor verified the whole ledger for this report, not only the period. head.json, beside this file, is that head. Store it on another machine: later it shows any change up to here (lictor audit verify --head head.json).',
    blocks: [
      ...verdict(ledger),
      ...(ledger.report === null ? [] : facts(ledger.report, retention)),
      note('plain', `While the ledger cannot be written, Lictor ${gateway.fail_closed ? 'rejects changes' : 'allows changes: ledger.fail_closed is off'}.`),
      ...table(
        ['Time (UTC)', 'Event', 'What', 'Gap'],
        own.map(({ time, action, resource, gap_ms: gap }) => [
          minute(time),
          action,
          resource ?? '-',
          gap === null ? '-' : `${count(Math.round(gap / 1000))} s`,
        ]),
        { empty: 'The gateway was neither started nor stopped in the period, and recorded no gap.', numbers: [3] },
      ),
      note(
        'plain',
        'The ledger alone cannot show two changes. Whole batches with their heads may be deleted at its end: only a head that is stored elsewhere shows that. And an owner of the signing key, such as root of this machine, can write false records.',
      ),
    ],
  };
}

function verdict({ report, why, key_from: key }: LedgerState): readonly Block[] {
  if (report === null) return [note('bad', `The ledger could not be verified: ${why ?? 'unknown reason'}`)];
  if (key === 'none') return [note('bad', 'The key of the ledger is not on this machine: no signature could be verified.')];
  if (report.problems.length === 0) return [note('good', 'No record was edited, removed, added or moved.')];
  return [
    note('bad', 'Something other than the gateway changed the ledger. Start with the first problem:'),
    ...report.problems.map(({ message }) => note('bad', message)),
  ];
}

function facts(report: Report, retention: string): readonly Block[] {
  return [
    {
      kind: 'facts',
      rows: [
        ...report.chains.map(
          ({ node, records, firstSeq, lastSeq, firstTime, lastTime }) =>
            [`Chain of ${node}`, `${several(records, 'record')}, ${firstSeq} to ${lastSeq}, ${minute(firstTime)} to ${minute(lastTime)}`] as const,
        ),
        ['Checkpoints', `${count(report.checkpoints)}, the last head signed ${minute(report.signedAt)}`],
        ['Signing keys', report.keys.map((key) => key.slice(0, 16)).join(', ')],
        ['Records are stored', retention],
      ],
    },
  ];
}
