// The state of a view in the address, so that links, back and forward work.
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';

/** The second segment of the address: `/runs/ID`. */
export function useItemId(): string | undefined {
  return useParams({ strict: false }).id;
}

export interface SetOptions {
  /** Without a new entry in the history: for what changes while a person types. */
  readonly replace?: boolean;
}

/** `const [query, setQuery] = useUrlState('q')`. An empty value leaves the address. */
export function useUrlState(name: string, otherwise = ''): readonly [string, (value: string, options?: SetOptions) => void] {
  const values = useUrlValues();
  const change = useChangeUrl();
  return [values[name] ?? otherwise, (value, options) => change({ [name]: value === otherwise ? '' : value }, options)];
}

export function useUrlValues(): Readonly<Record<string, string>> {
  return useSearch({ strict: false });
}

/** Changes several values at once; the others stay. */
export function useChangeUrl(): (values: Readonly<Record<string, string>>, options?: SetOptions) => void {
  const navigate = useNavigate();
  return (values, { replace = false } = {}) => {
    navigate({ to: '.', search: (before: Record<string, string>) => ({ ...before, ...values }), replace, resetScroll: false });
  };
}
