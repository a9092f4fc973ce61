// Observe mode: who is observed, and until when. It lets requests through that the policies deny.
import { EVERYONE, endOfObservation, OBSERVED_DAYS, observationsIn } from '../../../authorization/decide/observation.ts';
import type { Config } from '../../../config/config.ts';
import { minuteOf } from '../../../contract/time-text.ts';
import { readRows } from '../../../store/rows.ts';
import { ok, type Verdict, warn } from '../finding.ts';

const BEGINNINGS = 'SELECT name, begun_ms FROM observations';

type ObserveConfig = Pick<Config, 'mode' | 'roles' | 'observe' | 'storeAt'>;

export async function checkObservation(config: ObserveConfig, nowMs: number): Promise<Verdict | readonly Verdict[]> {
  const names = observationsIn(config);
  if (names.length === 0) return ok('every decision is enforced');
  const beginnings = await readRows(config.storeAt, BEGINNINGS);
  const begun = new Map(beginnings.map(({ name, begun_ms }) => [String(name), Number(begun_ms)]));
  const open = config.roles.filter(({ mode = config.mode, members }) => mode === 'observe' && members.some((member) => member.startsWith('*')));
  return [
    ...names.map((name) => observed(who(name, config), endOfObservation(begun.get(name) ?? nowMs), nowMs)),
    ...open.map(({ role, members }) =>
      warn(
        `everyone of ${members.filter((member) => member.startsWith('*')).join(', ')} has the rights of Prefect's shared password while the role ${role} is observed`,
        'Give the role to a group of people who know that password, or set mode: enforce in its line.',
      ),
    ),
  ];
}

function who(name: string, { observe }: Pick<Config, 'observe'>): string {
  const members = name === EVERYONE ? 'everyone' : `members of the role ${name}`;
  return observe === undefined ? members : `${members} (actions of ${observe.join(', ')})`;
}

function observed(who: string, endMs: number, nowMs: number): Verdict {
  const end = minuteOf(endMs);
  if (nowMs >= endMs) return warn(`observe mode of ${who} ended at ${end} UTC after ${OBSERVED_DAYS} days: Lictor enforces`, 'Remove mode: observe.');
  return warn(
    `${who} may do what the policies deny, until ${end} UTC: observe mode`,
    'lictor observe report shows what enforcement would deny; lictor enforce ends it for one role or group.',
  );
}
