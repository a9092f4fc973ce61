import { GATEWAY } from '../../app/base.ts';
import { Button } from '../../parts/button.tsx';
import { CopyText } from '../../parts/copy-text.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';

const EXAMPLES = ['decision:deny', 'action:flow_runs.*', 'status:5xx', 'since:24h'];

export function NoRecords({ q, onSearch }: { readonly q: string; readonly onSearch: (q: string) => void }) {
  if (q === '')
    return (
      <EmptyState title="There is no record yet.">
        <p>Send a request through the gateway, and it appears here:</p>
        <CopyText text={`PREFECT_API_URL=${GATEWAY}/api prefect version`} />
      </EmptyState>
    );
  return (
    <EmptyState title="No record fits.">
      <p>Remove a term, or widen the time. Some searches to begin with:</p>
      <div className="row">
        {EXAMPLES.map((example) => (
          <Button key={example} small onPress={() => onSearch(example)}>
            {example}
          </Button>
        ))}
      </div>
    </EmptyState>
  );
}
