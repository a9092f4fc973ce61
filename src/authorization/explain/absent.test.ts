import { expect, it } from 'vitest';
import { UpstreamError } from '../../prefect/client/upstream-error.ts';
import type { Names } from '../../record/ledger/search/names.ts';
import { absentWords } from './absent.ts';
import { explainerParts } from './bench.fixture.ts';

const RUN = '1b4e28ba-2fa1-41d2-883f-0016d3cca427';
const NEAR = '1b4e28ba-2fa1-41d2-883f-0016d3cca428';
const names: Names = {
  named: (kind) => (kind === 'deployment' ? [{ id: RUN, name: 'nightly' }] : [{ id: RUN, name: 'fuzzy-otter' }]),
};
const none = explainerParts(async () => null);

it.each([
  [{ type: 'Deployment', id: 'nihgtly', named: true, within: 'etl' }, 'Prefect has no deployment etl/nihgtly. Did you mean nightly?'],
  [{ type: 'Deployment', id: 'daily' }, 'Prefect has no deployment daily.'],
  [{ type: 'FlowRun', id: NEAR }, `Prefect has no flow run ${NEAR}. Did you mean ${RUN}?`],
  [{ type: 'FlowRun', id: 'fuzy-otter' }, 'Prefect has no flow run fuzy-otter. Did you mean fuzzy-otter?'],
  [{ type: 'FlowRun', id: null }, undefined],
  [{ type: 'WorkPool', id: 'pool' }, undefined],
] as const)('of %j it says %s', async (object, words) => {
  expect(await absentWords(none, object, names)).toBe(words);
});

it('twin: says nothing of an object that is there, or that Prefect cannot be asked about', async () => {
  const there = explainerParts(async (path) => (path.startsWith('/api/flow_runs/') ? { id: NEAR, tags: [] } : null));
  const away = explainerParts(async () => Promise.reject(new UpstreamError('upstream-unavailable', { forwarded: false })));
  for (const parts of [there, away]) expect(await absentWords(parts, { type: 'FlowRun', id: NEAR }, names)).toBeUndefined();
});
