import { describe, expect, it } from 'vitest';
import { lintEdge } from './lint.ts';

const IGNORE = 'proxy_ignore_headers X-Accel-Redirect X-Accel-Expires X-Accel-Limit-Rate X-Accel-Buffering X-Accel-Charset; proxy_pass_request_headers off;';

function lint(server: string): readonly string[] {
  return lintEdge(
    new Map([
      ['nginx.conf', `http { include gateway.conf; }`],
      ['gateway.conf', `server { ${server} }`],
    ]),
  );
}

const SECRET = 'proxy_set_header X-Lictor-Edge s;';
const SERVICE = 'auth_request /d; try_files /.never @$lictor_service_at;';
const UPGRADE = 'error_page 419 = @service_a_socket; if ($http_upgrade != "") { return 419; }';

describe('the lint of the rendered configuration', () => {
  it('accepts a decided location and the named one behind it', () => {
    expect(lint(`location / { auth_request /d; try_files /.never @go; } location @go { ${IGNORE} proxy_pass http://p; }`)).toEqual([]);
  });
  it('accepts the raw target below the path of public_url', () => {
    expect(
      lint(`location / { auth_request /d; try_files /.never @go; } location @go { ${IGNORE} proxy_pass https://lictor_prefect$lictor_forwarded_target; }`),
    ).toEqual([]);
  });
  it('accepts the raw target below a service', () => {
    const location = (target: string) => `location / { auth_request /d; try_files /.never @go; } location @go { ${IGNORE} proxy_pass ${target}; }`;
    expect(lint(location('https://lictor_service_a_b$lictor_service_target'))).toEqual([]);
    expect(lint(location('https://elsewhere$lictor_service_target')).join()).toMatch(/rewritten target/);
  });
  it('lets the service proxy alone name a refusal, and steer nothing else', () => {
    const to = (place: string, ignore: string) => lint(`location @service_a_call { ${ignore} ${SECRET} proxy_pass http://${place}; }`).join();
    const refusing = IGNORE.replace('X-Accel-Redirect ', '');
    expect(to('lictor_proxy$lictor_service_target', refusing)).toBe('');
    expect(to('lictor_proxy$lictor_service_target', refusing.replace('X-Accel-Expires ', ''))).toMatch(/steer nginx/);
    for (const place of ['lictor_service_proxy$lictor_service_target', 'lictor_control', 'lictor_proxy']) expect(to(place, refusing)).toMatch(/steer nginx/);
  });
  it('accepts the parts that authenticate themselves', () => {
    expect(lint(`location = /s { ${IGNORE} ${SECRET} proxy_set_header Upgrade $http_upgrade; proxy_pass http://$lictor_relay_queue; }`)).toEqual([]);
  });
  it('accepts a server that only nginx reaches, by separate sockets', () => {
    expect(lint(`listen unix:/s; listen unix:/t; location / { ${IGNORE} proxy_pass http://p; }`)).toEqual([]);
  });
  it.each([
    ['a port beside a socket of its own', `listen unix:/s; listen 80; location / { ${IGNORE} proxy_pass http://p; }`, /without a decision/],
    ['an undecided proxying location', `location /x { ${IGNORE} proxy_pass http://p; }`, /without a decision/],
    ['another id of the request', `location /x { return 400 '{"request_id":"$request_id"}'; }`, /\$lictor_request_id/],
    ['auth_request off', `location /x { auth_request off; ${IGNORE} proxy_pass http://p; }`, /without a decision/],
    ['an upstream that steers nginx', 'location @x { proxy_pass_request_headers off; proxy_pass http://p; }', /steer nginx/],
    [
      'a part of the steering headers',
      'location @x { proxy_pass_request_headers off; proxy_ignore_headers X-Accel-Redirect; proxy_pass http://p; }',
      /steer nginx/,
    ],
    [
      'a cache of answers',
      `location @service_a_call { ${IGNORE} proxy_cache lictor_decisions; proxy_cache_lock on; proxy_pass http://p; }`,
      /proxy_cache_lock is used/,
    ],
    ['a service that is shown the secret', `location @x { ${IGNORE} ${SECRET} proxy_pass http://lictor_service_a; }`, /with the secret/],
    ['Prefect, shown the secret', `location @x { ${IGNORE} ${SECRET} proxy_pass http://lictor_prefect; }`, /with the secret/],
    ['a rewritten target', `location @x { ${IGNORE} proxy_pass http://p$uri; }`, /rewritten target/],
    ['any other variable in a target', `location @x { ${IGNORE} proxy_pass http://$host; }`, /rewritten target/],
    ['the raw target to somebody else', `location @x { ${IGNORE} proxy_pass http://p$lictor_forwarded_target; }`, /rewritten target/],
    ['more than the raw target', `location @x { ${IGNORE} proxy_pass http://lictor_prefect$lictor_forwarded_target$args; }`, /rewritten target/],
    [
      "the client's headers as they are",
      `location @x { ${IGNORE.replace('proxy_pass_request_headers off;', '')} proxy_pass http://p; }`,
      /headers as they are/,
    ],
    ['Upgrade to something else than the relay', `location @x { ${IGNORE} proxy_set_header Upgrade $http_upgrade; proxy_pass http://p; }`, /forwards Upgrade/],
    ['a return beside auth_request', 'location / { auth_request /d; return 200; }', /answers before the decision/],
    ['a conditional return beside try_files', 'location / { auth_request /d; if ($a) { return 204; } try_files /n @go; }', /answers before the decision/],
    ['an upgrade that goes to a service', `location ^~ /svc/a/ { ${SERVICE} }`, /lets an Upgrade go/],
    [
      'an upgrade that is let through where it says nothing',
      `location ^~ /svc/a/ { ${SERVICE} if ($http_upgrade = "") { return 419; } }`,
      /lets an Upgrade go/,
    ],
    ['an upgrade that leads elsewhere', `location ^~ /svc/a/ { ${SERVICE} ${UPGRADE.replace('@service_a_socket', '@direct')} }`, /answers before the decision/],
    ['an upgrade that leads to two', `location ^~ /svc/a/ { ${SERVICE} error_page 419 = @direct; ${UPGRADE} }`, /answers before the decision/],
    ['another status for an upgrade', `location ^~ /svc/a/ { ${SERVICE} ${UPGRADE.replaceAll('419', '200')} }`, /answers before the decision/],
    ['an early answer at server level', 'if ($x) { return 200; }', /at server level/],
    ['another early 204', 'if ($request_method = GET) { return 204; }', /at server level/],
    ['a redirect by rewrite at server level', 'rewrite ^/a /b redirect;', /at server level/],
    ['satisfy any', 'location / { satisfy any; }', /satisfy is used/],
    ['a stale cache', 'location / { proxy_cache_use_stale updating; }', /proxy_cache_use_stale is used/],
  ])('names %s', (_what, server, message) => {
    expect(lint(server).join('\n')).toMatch(message);
  });
  it.each([
    'lictor_decision/decide',
    'lictor_control',
    '$lictor_relay_queue',
    'lictor_relay',
    'lictor_anonymous',
    'lictor_proxy',
    'lictor_proxy$lictor_service_target',
  ])('names the control plane asked without the secret: %s', (place) => {
    expect(lint(`location @x { ${IGNORE} proxy_pass http://${place}; }`).join()).toMatch(/without the secret/);
    expect(lint(`location @x { ${IGNORE} ${SECRET} proxy_pass http://${place}; }`)).toEqual([]);
  });
  it('lets refusals and the preflight answer early', () => {
    expect(lint('if ($r) { return 400; } if ($request_method = OPTIONS) { return 204; }')).toEqual([]);
  });
  it('lets the door of a service lead an upgrade to the relay', () => {
    expect(lint(`location ^~ /svc/a/ { ${SERVICE} ${UPGRADE} }`)).toEqual([]);
  });
  it('reads quotes, braces in variables and comments', () => {
    expect(lint(`# { a "comment\n location @a { return 401 '{"code":"$c","x":"\${d}"}'; }`)).toEqual([]);
  });
  it('refuses what it cannot read, and includes of nothing', () => {
    expect(() => lint('location / {')).toThrowError(/ends too early/);
    expect(() => lint('include /etc/nginx/evil.conf;')).toThrowError(/not a part/);
  });
});
