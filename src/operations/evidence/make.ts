// Makes a whole report: its data, its document, and the files for a reviewer.
import { createHash } from 'node:crypto';
import type { StatePaths } from '../../config/state-dir.ts';
import { openLedgerReader } from '../../record/ledger/query.ts';
import type { EvidenceData } from './data.ts';
import { examine } from './examine.ts';
import { type EvidenceSources, gatherEvidence } from './gather.ts';
import { renderMarkdown } from './markdown.ts';
import { renderReport } from './page.ts';
import { reportOf } from './report.ts';
import { renderReviewCsv } from './review-csv.ts';

export interface EvidenceProgress {
  /** `period`: reads the records of the period. `ledger`: verifies the whole ledger. */
  readonly phase: 'period' | 'ledger';
  readonly records: number;
}

export interface MakeParts extends Pick<EvidenceSources, 'config' | 'configFile' | 'store' | 'from' | 'to' | 'by' | 'nginx' | 'nowMs'> {
  readonly paths: StatePaths;
  readonly onProgress: (progress: EvidenceProgress) => void;
}

export interface Evidence {
  readonly data: EvidenceData;
  files(): EvidenceFiles;
}

export type EvidenceFiles = readonly (readonly [name: string, text: string])[];

/** The ledger must exist. */
export async function makeEvidence({ paths, onProgress, ...sources }: MakeParts): Promise<Evidence> {
  const ledger = openLedgerReader(paths.ledgerFile);
  let head: string | undefined;
  try {
    const data = await gatherEvidence({
      ...{ ...sources, ledger, configInUse: paths.configInUse },
      onRecord: (records) => onProgress({ phase: 'period', records }),
      verify: () => {
        const examined = examine(paths, (records) => onProgress({ phase: 'ledger', records }));
        head = examined.head;
        return examined.state;
      },
    });
    return { data, files: () => filesOf(data, head) };
  } finally {
    ledger.close();
  }
}

function filesOf(data: EvidenceData, head: string | undefined): EvidenceFiles {
  const document = reportOf(data);
  const files: EvidenceFiles = [
    ['report.html', renderReport(document)],
    ['report.md', renderMarkdown(document)],
    ['access-review.csv', renderReviewCsv(data)],
    ['data.json', `${JSON.stringify(data, null, 1)}\n`],
    ...(head === undefined ? [] : [['head.json', head] as const]),
  ];
  const sums = files.map(([name, text]) => `${createHash('sha256').update(text).digest('hex')}  ${name}\n`).join('');
  return [...files, ['SHA256SUMS', sums]];
}
