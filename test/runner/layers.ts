// "Imports go down only": the rows of ARCHITECTURE.md, and the Biome rules that enforce them.

/** A part may import the parts of earlier rows; parts of one row do not import each other. */
export const ROWS: readonly (readonly string[])[] = [
  ['contract'],
  ['scope'],
  ['config', 'frames', 'json', 'tunnels'],
  ['certificates', 'keys', 'store', 'catalog', 'events', 'scope-filter', 'sidecar'],
  ['prefect', 'policy', 'ledger'],
  ['authn', 'egress', 'metrics', 'sinks'],
  ['decide', 'oauth'],
  ['forward', 'mediate', 'relay', 'timeline'],
  ['edge', 'explain'],
  ['http'],
  ['evidence'],
  ['app'],
  ['supervise'],
  ['demo', 'doctor'],
  ['bench'],
  ['cli'],
];

/** What the rows would allow and the rules do not: the client side is for the command line alone, and nginx's configuration needs nothing that calls services. */
function isApart(part: string, other: string): boolean {
  return (other === 'sidecar' && part !== 'cli') || (other === 'egress' && part === 'edge');
}

/** These stand beside src: the gateway needs neither. */
export const BESIDE_SRC: readonly string[] = ['bench', 'demo'];

/** The files at the root of src, which alone construct services, are the part `app`. */
export const ROOT_FILES: readonly string[] = [
  'active-policies.ts',
  'app.ts',
  'clock-watch.ts',
  'confirm-sessions.ts',
  'control-plane.ts',
  'current-runtime.ts',
  'decision-sync.ts',
  'gateway-metrics.ts',
  'housekeeping.ts',
  'listeners.ts',
  'process-services.ts',
  'reload-report.ts',
  'reload.ts',
  'runtime.ts',
];

/** biome.layers.json: one override a part, with what it may not import. Tests beside the code may import what they like. */
export function renderLayers(): string {
  const overrides = ROWS.flatMap((row, index) => row.map((part) => override(part, index)));
  return `${JSON.stringify({ $schema: './node_modules/@biomejs/biome/configuration_schema.json', root: false, overrides }, null, 1)}\n`;
}

function override(part: string, index: number): object {
  const below = ROWS.slice(0, index)
    .flat()
    .filter((other) => !isApart(part, other));
  const forbidden = ROWS.flat().filter((other) => other !== part && !below.includes(other));
  // `lictor test` is the tests' own runner.
  const group = [...forbidden.flatMap(specifiers), part === 'cli' ? '**/test/env/**' : '**/test/**'];
  const message = `Imports go down only: ${part} may import ${below.length === 0 ? 'nothing else of src' : below.join(', ')}.`;
  const rule = { level: 'error', options: { patterns: [{ group, message }] } };
  return { includes: [...places(part), '!**/*.test.ts'], linter: { rules: { style: { noRestrictedImports: rule } } } };
}

function places(part: string): readonly string[] {
  if (part === 'app') return ROOT_FILES.map((file) => `src/${file}`);
  return [BESIDE_SRC.includes(part) ? `${part}/**` : `src/${part}/**`];
}

function specifiers(part: string): readonly string[] {
  return part === 'app' ? ROOT_FILES.map((file) => `**/${file}`) : [`**/${part}/**`];
}
