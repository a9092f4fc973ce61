// lictor approvals, approve and deny, directly on the store file.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeMemoryDir } from '../config/memory-dir.fixture.ts';
import { removeRuntimeDir } from '../config/runtime-dir.ts';
import { statePaths } from '../config/state-dir.ts';
import { openLedgerReader } from '../record/ledger/query.ts';
import { anApproval } from '../store/approval.fixture.ts';
import type { NewApproval } from '../store/approvals.ts';
import { openStore, type Store } from '../store/store.ts';
import { main } from './main.ts';

let root = '';
let revision = 0;
beforeEach(async () => {
  root = makeMemoryDir('lictor-approvals-');
  writeFileSync(join(root, 'lictor.yaml'), 'public_url: http://localhost:8200\nprefect: { url: http://127.0.0.1:4200 }\n');
  revision = await inStore((store) => store.revisions.publish(['a']));
  await held();
});
afterEach(() => {
  removeRuntimeDir(statePaths(root, join(root, 'run')));
  rmSync(root, { recursive: true });
});

async function inStore<T>(work: (store: Store) => Promise<T>): Promise<T> {
  const store = await openStore({ at: join(root, 'lictor.db'), clock: Date.now });
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

const held = (differing: Partial<NewApproval> = {}) => inStore((store) => store.approvals.holdingOr(anApproval({ revision, ...differing })));
const stored = () => inStore((store) => store.approvals.byId('approval-1'));

async function lictor(...args: string[]) {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const options = { out, err, env: {}, cwd: root, pause: async () => undefined };
  const status = await main({ args: ['--state-dir', root, '-c', join(root, 'lictor.yaml'), ...args], ...options });
  return { status, out: String(out.read() ?? ''), err: String(err.read() ?? '') };
}

async function records(): Promise<unknown[]> {
  const reader = openLedgerReader(join(root, 'ledger.db'));
  const found = [];
  for await (const { action, approval_id, principal } of reader.audit({})) found.push([action, approval_id, principal?.startsWith('local:')]);
  reader.close();
  return found;
}

describe('lictor approvals', () => {
  it('lists what waits, one object a line with --json', async () => {
    const { out } = await lictor('approvals', '--json');
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      {
        id: 'approval-1',
        requested_by: 'agent:copilot',
        on_behalf_of: ['alice@local'],
        action: 'deployments.delete',
        resource: { type: 'Deployment', id: 'd1', name: 'etl/nightly' },
        arguments: { id: 'd1' },
        rule: 'deletes',
        requested_at: expect.stringMatching(/^20.*Z$/),
        expires_at: expect.stringMatching(/^20.*Z$/),
        state: 'pending',
        decided_by: null,
        reason: '',
      },
    ]);
    expect((await lictor('approvals')).out).toMatch(/approval-1 .*agent:copilot for alice@local .*deployments\.delete .*etl\/nightly/);
  });

  it('leaves out what was decided, but with --all', async () => {
    await lictor('deny', 'approval-1');
    expect((await lictor('approvals')).out).toBe('No request waits for an approval.\n');
    expect((await lictor('approvals', '--all')).out).toContain('denied');
  });
});

describe('lictor approve and deny', () => {
  it('decide as the local user, with a record', async () => {
    expect((await lictor('approve', 'approval-1', '--reason', 'call with the team')).status).toBe(0);
    expect(await stored()).toMatchObject({ state: 'approved', decidedBy: expect.stringMatching(/^local:/), reason: 'call with the team' });
    expect(await records()).toEqual([['approval.approve', 'approval-1', true]]);
    const again = await lictor('deny', 'approval-1');
    expect([again.status, again.err]).toEqual([1, expect.stringContaining('does not wait: approved')]);
    expect(await stored()).toMatchObject({ state: 'approved' });
  });

  it('refuse an unknown id, a reason of several lines, and a request of former rules', async () => {
    expect((await lictor('approve', 'none')).err).toContain('There is no approval none');
    expect((await lictor('deny', 'approval-1', '--reason', 'a\nb')).status).toBe(2);
    await inStore((store) => store.revisions.publish(['b']));
    const late = await lictor('approve', 'approval-1');
    expect([late.status, late.err]).toEqual([1, expect.stringContaining('have changed since')]);
    expect(await stored()).toMatchObject({ state: 'pending' });
  });
});
