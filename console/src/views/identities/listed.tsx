import type { ReactNode } from 'react';
import { Button } from '../../parts/button.tsx';
import { ErrorNotice } from '../../parts/error-notice.tsx';
import { ViewLoading } from '../../parts/view-loading.tsx';

interface Asking {
  readonly isPending: boolean;
  readonly error: Error | null;
  readonly hasNextPage?: boolean;
  readonly isFetchingNextPage?: boolean;
  readonly fetchNextPage?: () => unknown;
}

interface ListedProps {
  readonly query: Asking;
  readonly isEmpty: boolean;
  readonly empty: ReactNode;
  readonly children: ReactNode;
}

/** A list in each of its states: loading, failed, empty, and with a button for more. What is there stays when a later request fails. */
export function Listed({ query, isEmpty, empty, children }: ListedProps) {
  if (query.isPending) return <ViewLoading />;
  return (
    <div className="stack">
      {query.error !== null && <ErrorNotice error={query.error} />}
      {isEmpty ? query.error === null && empty : children}
      {query.hasNextPage === true && (
        <div>
          <Button isPending={query.isFetchingNextPage === true} onPress={() => void query.fetchNextPage?.()}>
            Show more
          </Button>
        </div>
      )}
    </div>
  );
}
