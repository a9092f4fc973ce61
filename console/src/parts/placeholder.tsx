import { PageHead } from './page-head.tsx';

/** A view that is not written yet. */
export function Placeholder({ title }: { readonly title: string }) {
  return <PageHead title={title} />;
}
