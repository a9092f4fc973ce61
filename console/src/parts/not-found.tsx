import { Link } from '@tanstack/react-router';
import { EmptyState } from './empty-state.tsx';
import { PageHead } from './page-head.tsx';

export function NotFound() {
  return (
    <>
      <PageHead title="Not found" />
      <EmptyState title="The console has no such page.">
        <Link to="/">Go to the first page</Link>
      </EmptyState>
    </>
  );
}
