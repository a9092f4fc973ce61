// Which part of a configuration decides: a change of it makes a new revision (src/store/revisions.ts).

/** Secrets, and sections without effect on decisions. Nodes of one gateway may differ in them. */
const NOT_DECIDING: ReadonlySet<string> = new Set([
  ...['authString', 'apiKey', 'next', 'clientSecret', 'injected', 'exports', 'notify', 'metrics', 'traces'],
  // The texts of the policies count, not the name of their directory.
  ...['node', 'listen', 'storeAt', 'storeListen', 'policies'],
]);

/** The part of a configuration whose change makes a new revision. */
export function decidingText(config: object): string {
  return JSON.stringify(config, (key, value: unknown) => (NOT_DECIDING.has(key) ? undefined : value));
}
