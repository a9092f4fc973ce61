/** A view that is not written yet. */
export function Placeholder({ title }: { readonly title: string }) {
  return <h1>{title}</h1>;
}
