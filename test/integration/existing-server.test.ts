// Before a Prefect that was there already: two API servers on Postgres and Redis, started by hand, with two stock workers.
import { afterAll, beforeAll, describe } from 'vitest';
import type { Gateway } from '../env/gateway.ts';
import { failoverTests } from './several/failover.ts';
import { movingTests } from './several/moving.ts';
import { openRoom, type Room } from './several/room.ts';

let room: Room;
let gateway: Gateway | undefined;
beforeAll(async () => {
  room = await openRoom();
}, 400_000);
afterAll(async () => {
  await room?.close();
  await gateway?.close();
}, 120_000);

const theRoom = (): Room => room;

describe('an existing Prefect', () =>
  movingTests(theRoom, (started) => {
    gateway = started;
  }));

/** The gateway and the workers are those that have moved. */
function moved(): Gateway {
  if (gateway === undefined) throw new Error('nothing has moved');
  return gateway;
}

describe('servers that die', () => failoverTests(theRoom, moved));
