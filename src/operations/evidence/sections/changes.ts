// Changes of policies, configuration and keys: by whom, and with diffs.
import { SUPPORTS } from '../controls.ts';
import type { EventRow, EvidenceData, PolicyRow } from '../data.ts';
import { type Block, minute, note, type Section, table } from '../document.ts';

const CHANGE = /^(?:account|config|identity|keys|policy|token|upstream)\.|^ledger\.rotate_key$/;
const LONGEST_DIFF = 20_000;

export function changesSection({ policies, events }: EvidenceData): Section {
  const changes = events.filter(({ action }) => CHANGE.test(action));
  return {
    id: 'changes',
    title: 'Changes of policies, configuration and credentials',
    supports: SUPPORTS.changes,
    lead: 'Policies take effect only through a recorded command, which first checks them and runs their decision vectors. A command on the machine is recorded with the user of the operating system (local:NAME). The machine, not Lictor, authenticates that user.',
    blocks: [
      inForceNote(policies.in_force),
      ...table(['Revision', 'Applied (UTC)', 'By', 'Why', 'Files'], policies.changes.map(policyRow), {
        empty: 'No set of own policies came into force in the period.',
      }),
      ...policies.changes.map(diffBlock),
      { kind: 'text', text: 'Every administrative change in the period, from the ledger:' },
      ...table(['Time (UTC)', 'Change', 'What', 'By', 'Outcome'], changes.map(eventRow), { empty: 'Nothing was changed in the period.' }),
    ],
  };
}

function inForceNote(set: PolicyRow | null): Block {
  if (set === null) return note('plain', 'At the beginning of the period no own policies were in force: only the built-in roles decided.');
  return note(
    'plain',
    `At the beginning of the period revision ${set.revision} was in force, applied ${minute(set.at)} by ${set.by}${set.why === '' ? '' : `: ${set.why}`}.`,
  );
}

function policyRow({ revision, at, by, why, files }: PolicyRow): readonly string[] {
  return [String(revision), minute(at), by, why === '' ? '-' : why, files.join(', ')];
}

function diffBlock({ revision, diff }: PolicyRow): Block {
  const cut = diff.length > LONGEST_DIFF ? `${diff.slice(0, LONGEST_DIFF)}\n... the rest is in data.json` : diff;
  return { kind: 'code', title: `What revision ${revision} changed`, text: cut === '' ? 'No difference in the texts.' : cut };
}

export function eventRow({ time, action, resource, by, outcome }: EventRow): readonly string[] {
  return [minute(time), action, resource ?? '-', by ?? '-', outcome ?? '-'];
}
