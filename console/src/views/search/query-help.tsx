import { Button } from '../../parts/button.tsx';
import { QUERY_KEYS } from './query-terms.ts';

const EXAMPLES = ['decision:deny', 'action:flow_runs.*', 'status:5xx', 'since:24h'];

/** Searches to begin with. */
export function Examples({ onSearch }: { readonly onSearch: (q: string) => void }) {
  return (
    <div className="row">
      {EXAMPLES.map((example) => (
        <Button key={example} small onPress={() => onSearch(example)}>
          {example}
        </Button>
      ))}
    </div>
  );
}

/** Below the box: how a search is written, and what the list leaves out. */
export function QueryHelp({ withoutRoutine }: { readonly withoutRoutine: boolean }) {
  return (
    <details className="query-help">
      <summary>
        Enter searches.{' '}
        {withoutRoutine ? 'Hidden: pages, polls of workers and reads of this console. Denials are always shown.' : 'Routine requests are shown.'}{' '}
        <span className="link">All keys</span>
      </summary>
      <dl className="facts">
        {Object.entries(QUERY_KEYS).map(([key, { about }]) => (
          <div key={key} className="fact">
            <dt>
              <code>{key}:</code>
            </dt>
            <dd>{about}</dd>
          </div>
        ))}
      </dl>
      <p>A word without a key is looked for in all names. The words denied and allowed stand for the decision.</p>
    </details>
  );
}
