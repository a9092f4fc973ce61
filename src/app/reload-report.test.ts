// What is said and recorded of a reload that was applied.
import { describe, expect, it } from 'vitest';
import type { FromControl } from '../contract/ipc.ts';
import type { NewRecord } from '../contract/record.ts';
import { anAgent } from '../identity/authn/agent/agent.fixture.ts';
import { type Applied, type ReportParts, reportApplied } from './reload-report.ts';

/** The words at the terminal, and the record. */
async function reportOf(applied: Partial<Applied>, revision = 7): Promise<{ readonly text: string; readonly record: NewRecord | undefined }> {
  const messages: FromControl[] = [];
  const records: NewRecord[] = [];
  const parts = {
    shared: {
      log: { info: () => undefined, error: () => undefined },
      clock: () => 0,
      ledger: { append: async (record: NewRecord) => void records.push(record) },
    },
    current: { get: () => ({ revision, config: { roles: [{ role: 'viewer', members: ['*@corp', 'user:bob@corp'], scope: null }], agents: [anAgent()] } }) },
    configFile: 'lictor.yaml',
    send: (message: FromControl) => void messages.push(message),
  };
  await reportApplied(parts as unknown as ReportParts, { from: 7, nginx: false, changed: [], unfinished: [], ...applied });
  const [message] = messages;
  return { text: message?.type === 'notice' ? message.text : '', record: records[0] };
}

describe('a reload that was applied', () => {
  it('says which sections it changed although what decides is as before, and the record says it too', async () => {
    const { text, record } = await reportOf({ changed: ['ledger.export', 'traces'] });
    expect(text).toBe('lictor: lictor.yaml: applied: revision 7, as before; changed: ledger.export, traces.');
    expect(record).toMatchObject({ action: 'config.reload', reason: 'config-applied', resource_id: '7 -> 7', tool: 'ledger.export, traces' });
  });

  it('records who holds which role from then on, where the roles or agents changed', async () => {
    const grant = { expires_at: null, members: ['*@corp', 'user:bob@corp'], networks: [], role: 'viewer', rules: ['lictor.yaml roles[0]'], scope: null };
    const ofAgent = { ...grant, members: ['agent:copilot'], role: 'agent', rules: ['lictor.yaml agents[0]'] };
    expect((await reportOf({ changed: ['roles'] }, 8)).record?.grants).toEqual([grant, ofAgent]);
    expect((await reportOf({ changed: ['agents'] }, 8)).record?.grants).toEqual([grant, ofAgent]);
    expect((await reportOf({ changed: ['traces'] })).record?.grants).toBeUndefined();
  });

  it('says that nothing has changed where nothing has', async () => {
    const { text, record } = await reportOf({});
    expect(text).toBe('lictor: lictor.yaml: nothing in it has changed (revision 7).');
    expect(record).toMatchObject({ reason: 'config-applied', resource_id: '7 -> 7', tool: null });
  });

  it('says so beside another revision, and beside a certificate that nginx reads', async () => {
    expect((await reportOf({ changed: ['roles'], nginx: true }, 8)).text).toBe(
      'lictor: lictor.yaml: applied: revision 7 -> 8; changed: roles; nginx reads its new configuration.',
    );
    expect((await reportOf({ nginx: true })).text).toBe('lictor: lictor.yaml: applied: revision 7, as before; nginx reads its new configuration.');
  });
});
