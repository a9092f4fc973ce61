/** It takes the room of a view, so that nothing moves when the view comes. */
export function ViewLoading() {
  return (
    <p className="loading" role="status">
      Loading…
    </p>
  );
}
