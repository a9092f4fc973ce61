// Observe mode in nginx: the answer of a request that enforcement would deny has a header with the reason.
import { observationsIn } from '../../authorization/decide/observation.ts';
import type { Config } from '../../config/config.ts';

type Roles = Pick<Config, 'mode' | 'roles'>;

/** Beside `auth_request`. Empty if nobody is observed, so that nginx reads no header. */
export function renderWouldDeny(config: Roles): string {
  return ifObserved(config, 'auth_request_set $lictor_would_deny $upstream_http_x_lictor_would_deny;\n');
}

/** In each location that forwards a request. nginx sends no header without a value. */
export function renderWouldDenyAnswer(config: Roles): string {
  return ifObserved(config, 'add_header X-Lictor-Would-Deny $lictor_would_deny always;\n');
}

/** On the mediated path the mediator decides: it sends the header, which nginx hides in the answers of every upstream. */
export function renderWouldDenyMediated(config: Roles): string {
  return ifObserved(config, 'add_header X-Lictor-Would-Deny $upstream_http_x_lictor_would_deny always;\n');
}

function ifObserved(config: Roles, text: string): string {
  return observationsIn(config).length === 0 ? '' : text;
}
