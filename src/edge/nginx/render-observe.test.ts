import { expect, it } from 'vitest';
import { renderWouldDeny, renderWouldDenyAnswer, renderWouldDenyMediated } from './render-observe.ts';

it('nginx reads and sends the header only if a principal can be observed: the default costs nothing', () => {
  const binding = { role: 'viewer', members: ['*@corp'], scope: null };
  const enforced = { mode: 'enforce', roles: [binding] } as const;
  expect([renderWouldDeny, renderWouldDenyAnswer, renderWouldDenyMediated].map((render) => render(enforced))).toEqual(['', '', '']);
  for (const config of [{ mode: 'observe', roles: [] } as const, { mode: 'enforce', roles: [{ ...binding, mode: 'observe' }] } as const]) {
    expect(renderWouldDeny(config)).toContain('auth_request_set $lictor_would_deny');
    expect(renderWouldDenyAnswer(config)).toContain('add_header X-Lictor-Would-Deny $lictor_would_deny');
    expect(renderWouldDenyMediated(config)).toContain('add_header X-Lictor-Would-Deny $upstream_http_x_lictor_would_deny');
  }
});
