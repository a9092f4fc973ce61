import { Button } from '../../parts/button.tsx';
import { Time } from '../../parts/time.tsx';

interface SearchEndProps {
  readonly count: number;
  readonly searchedTo: string | null;
  readonly hasNextPage: boolean;
  readonly isFetching: boolean;
  readonly onMore: () => void;
}

/** Below the last row: more to come, the bound of one search, or the end. */
export function SearchEnd({ count, searchedTo, hasNextPage, isFetching, onMore }: SearchEndProps) {
  return (
    <div className="search-end" role="status">
      {searchedTo !== null && (
        <>
          <span>
            Searched back to <Time iso={searchedTo} />.
          </span>
          <Button small isPending={isFetching} onPress={onMore}>
            Search further back
          </Button>
        </>
      )}
      {searchedTo === null && hasNextPage && <span className="muted">Loading more…</span>}
      {searchedTo === null && !hasNextPage && (
        <span className="muted">
          The end: {count.toLocaleString('en')} {count === 1 ? 'record' : 'records'}.
        </span>
      )}
    </div>
  );
}
