import { Button } from '../../parts/button.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { Panel } from '../../parts/panel.tsx';
import { RecordPanel } from '../../parts/record-panel.tsx';
import type { LedgerRecord } from '../../parts/record-words.ts';
import { ViewLoading } from '../../parts/view-loading.tsx';
import { WhyRecord } from '../../parts/why.tsx';
import { termText } from './query-terms.ts';
import { useOneRecord } from './use-records.ts';

interface OpenRecordProps {
  readonly id: string;
  readonly shown: readonly LedgerRecord[];
  readonly onClose: () => void;
  readonly onSearch: (q: string) => void;
}

/** The record in the address, with searches for what is like it. */
export function OpenRecord({ id, shown, onClose, onSearch }: OpenRecordProps) {
  const { record, error } = useOneRecord(id, shown);
  if (record === undefined)
    return (
      <Panel title="Record" onClose={onClose}>
        {error === null ? <ViewLoading /> : <ErrorNotice error={error} />}
      </Panel>
    );
  const more = [
    { text: 'Same principal', key: 'principal', value: record.principal },
    { text: 'Same object', key: 'object', value: record.resource_id },
    { text: 'Same request', key: 'request', value: record.request_id },
  ];
  return (
    <RecordPanel record={record} onClose={onClose} note={<WhyRecord record={record} />}>
      {more.map(
        ({ text, key, value }) =>
          value !== null && (
            <Button key={key} small onPress={() => onSearch(termText(key, value))}>
              {text}
            </Button>
          ),
      )}
    </RecordPanel>
  );
}
