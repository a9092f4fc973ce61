import { useChangeUrl } from '../../app/url-state.ts';
import { EmptyState } from '../../parts/empty-state.tsx';

export function NoFiles() {
  const changeUrl = useChangeUrl();
  return (
    <EmptyState title="No own policies yet">
      <p>The built-in roles decide. A policy of your own permits or forbids single actions beyond them.</p>
      <button type="button" className="button primary" onClick={() => changeUrl({ dialog: 'new' })}>
        Write the first one
      </button>
    </EmptyState>
  );
}
