import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { createFlow } from '../../prefect/frames/flow-control.ts';
import { createScreen, SMALL_BYTES, seeOf } from './screen.ts';

const A = '11111111-0000-4000-8000-000000000000';
const B = '22222222-0000-4000-8000-000000000000';
const reachesA = async (_type: string, ids: readonly string[]) => new Set(ids.filter((id) => id === A));

async function seenOf(socket: string, ...frames: unknown[]): Promise<readonly (string | null)[]> {
  const see = seeOf(socket);
  if (see === undefined) throw new Error(socket);
  const seen = await see(
    frames.map((frame) => Buffer.from(typeof frame === 'string' ? frame : JSON.stringify(frame))),
    reachesA,
    () => true,
  );
  return seen.map((frame) => (frame === null ? null : frame.toString()));
}

async function look(socket: string, ...frames: unknown[]): Promise<readonly boolean[]> {
  return (await seenOf(socket, ...frames)).map((frame) => frame !== null);
}

const eventOf = (run: string) => ({ type: 'event', event: { resource: { 'prefect.resource.id': `prefect.flow-run.${run}` }, related: [] } });
const logOf = (flow_run_id: string | null, task_run_id: string | null = null) => ({ type: 'log', log: { message: 'x', flow_run_id, task_run_id } });

describe('the visible part of a stream', () => {
  it('is the events about visible objects', async () => {
    expect(await look('socket:events-out', eventOf(A), eventOf(B), eventOf(A))).toEqual([true, false, true]);
  });

  it('is the logs of visible runs, and of tasks without a flow', async () => {
    expect(await look('socket:logs-out', logOf(A), logOf(B), logOf(null), logOf(null, A), logOf(null, B), logOf(B, A))).toEqual([
      true,
      false,
      false,
      true,
      false,
      false,
    ]);
  });

  it('is an event without the invisible objects that it names', async () => {
    const creator = (id: string) => ({ 'prefect.resource.id': `prefect.automation.${id}`, 'prefect.resource.role': 'creator', 'prefect.resource.name': 'n' });
    const createdBy = (id: string) => ({
      type: 'event',
      event: { ...eventOf(A).event, related: [creator(id)], payload: { task_run: { state: { state_details: { child_flow_run_id: id } } } } },
    });
    const [own, foreign] = await seenOf('socket:events-out', createdBy(A), createdBy(B));
    expect(JSON.parse(own ?? '')).toEqual(createdBy(A));
    expect(JSON.parse(foreign ?? '')).toEqual({
      type: 'event',
      event: { ...eventOf(A).event, payload: { task_run: { state: { state_details: { child_flow_run_id: null } } } } },
    });
  });

  it('is no frame that cannot be parsed', async () => {
    expect(
      await look('socket:events-out', 'no json', { type: 'other' }, { type: 'event' }, logOf(A), [], `{"type":"event","type":"event","event":{}}`),
    ).toEqual([false, false, false, false, false, false]);
  });

  it('has no meaning for the other sockets', () => {
    for (const socket of ['socket:events-in', 'socket:worker-connect', 'socket:task-runs-scheduled', 'constructor']) expect(seeOf(socket)).toBeUndefined();
  });
});

describe('the screen', () => {
  function open(answer: (texts: readonly string[]) => Promise<readonly boolean[]>, highWaterBytes = 10) {
    const sent: string[] = [];
    const source: string[] = [];
    const failures: unknown[] = [];
    const screen = createScreen({
      look: async (frames) => (await answer(frames.map(String))).map((isSeen, index) => (isSeen ? (frames[index] ?? null) : null)),
      send: (frame) => sent.push(String(frame.data)),
      source: { pause: () => source.push('pause'), resume: () => source.push('resume') },
      highWaterBytes,
      turn: async () => undefined,
      onFailure: (error) => failures.push(error),
    });
    return { sent, source, failures, push: (text: string, kind: 'text' | 'ping' = 'text') => screen.push({ kind, data: Buffer.from(text) }) };
  }

  it('keeps the order, and checks gathered frames together', async () => {
    const asked: (readonly string[])[] = [];
    const room = open(async (texts) => {
      asked.push(texts);
      await new Promise((resolve) => setImmediate(resolve));
      return texts.map((text) => text !== '2');
    });
    for (const text of ['1', '2', '3', '4']) room.push(text);
    await expect.poll(() => room.sent).toEqual(['1', '3', '4']);
    expect(asked).toEqual([['1'], ['2', '3', '4']]);
  });

  it('forwards pings in their place: their answer means that all earlier frames have arrived', async () => {
    const room = open(async (texts) => texts.map((text) => text !== '2'));
    room.push('1');
    room.push('2');
    room.push('p', 'ping');
    room.push('3');
    await expect.poll(() => room.sent).toEqual(['1', 'p', '3']);
  });

  it('stops reading while too much waits, and resumes after it', async () => {
    const room = open(async (texts) => texts.map(() => true));
    room.push('a'.repeat(11));
    expect(room.source).toEqual(['pause']);
    await expect.poll(() => room.source).toEqual(['pause', 'resume']);
  });

  it('stays paused while too much waits, whatever its target or an earlier screen do', async () => {
    const source = {
      isPaused: false,
      pause() {
        this.isPaused = true;
      },
      resume() {
        this.isPaused = false;
      },
    };
    const written: (() => void)[] = [];
    const target = { readyState: 1, OPEN: 1, bufferedAmount: 0, send: (_data: Buffer, _options: object, done: () => void) => written.push(done) };
    const send = createFlow(source as unknown as WebSocket, target as unknown as WebSocket, { highWaterBytes: 10, lowWaterBytes: 5 });
    const asked: (() => void)[] = [];
    const slow = (frames: readonly Buffer[]) => new Promise<readonly Buffer[]>((resolve) => asked.push(() => resolve(frames)));
    const shared = { source, highWaterBytes: 10, turn: async () => undefined, onFailure: () => undefined };
    const second = createScreen({ ...shared, look: slow, send });
    const first = createScreen({ ...shared, look: async (frames) => frames, send: second.push });
    const push = (text: string) => first.push({ kind: 'text', data: Buffer.from(text) });
    push('1');
    await first.idle();
    push('2'.repeat(11));
    await first.idle();
    // The first screen has let go, the second one has not.
    expect(source.isPaused).toBe(true);
    asked.shift()?.();
    await expect.poll(() => written).toHaveLength(1);
    written.shift()?.();
    expect(source.isPaused).toBe(true);
    await expect.poll(() => asked).toHaveLength(1);
    asked.shift()?.();
    await expect.poll(() => source.isPaused).toBe(false);
  });

  it('takes a turn before it checks many bytes, and checks a larger frame alone', async () => {
    const steps: string[] = [];
    const sizes = (frames: readonly Buffer[]) => frames.map(({ length }) => length).join();
    const screen = createScreen({
      look: async (frames) => {
        steps.push(sizes(frames));
        return frames;
      },
      send: () => undefined,
      source: { pause: () => undefined, resume: () => undefined },
      highWaterBytes: 10_000_000,
      turn: async () => void steps.push('turn'),
      onFailure: (error) => expect.fail(String(error)),
    });
    const push = (bytes: number) => screen.push({ kind: 'text', data: Buffer.alloc(bytes) });
    for (const bytes of [SMALL_BYTES, SMALL_BYTES, 1, 300_000, 300_000, 200_000, 2, 100_000]) push(bytes);
    expect(screen.isBusy()).toBe(true);
    await screen.idle();
    await expect.poll(() => screen.isBusy()).toBe(false);
    expect(steps).toEqual([`${SMALL_BYTES}`, 'turn', `${SMALL_BYTES},1`, 'turn', '300000', 'turn', '300000', 'turn', '200000,2', 'turn', '100000']);
  });

  it('forwards nothing after a failure to find out what is visible', async () => {
    const room = open(async () => {
      throw new Error('away');
    });
    room.push('1');
    await expect.poll(() => room.failures).toHaveLength(1);
    room.push('2');
    await new Promise((resolve) => setImmediate(resolve));
    expect(room.sent).toEqual([]);
    expect(room.failures).toHaveLength(1);
  });
});
