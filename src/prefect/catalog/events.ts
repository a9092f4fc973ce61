// Events over HTTP. A principal that may write them can forge task runs and trigger automations.

import { family } from './family.ts';

export const EVENTS = family({ prefix: '/api', resource: 'Event', ids: [] }, [
  ['create_events', 'POST /events', 'events.write', 'machine', 'mediated'],
  ['read_events', 'POST /events/filter', 'events.read', 'read', 'direct'],
  ['read_account_events_page', 'GET /events/filter/next', 'events.read', 'read', 'direct', { query: ['page-token'] }],
  ['count_account_events', 'POST /events/count-by/{countable}', 'events.read', 'read', 'direct'],
]);
