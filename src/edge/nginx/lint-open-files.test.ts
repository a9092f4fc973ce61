import { describe, expect, it } from 'vitest';
import { lintEdge } from './lint.ts';

const DECISION = 'internal; proxy_cache lictor_decisions;';
const OF_DECISIONS = 'open_file_cache max=8000 inactive=2s; open_file_cache_valid 1s; open_file_cache_min_uses 1; open_file_cache_errors off;';
const OF_NO_FILE = 'open_file_cache max=1; open_file_cache_valid 60s; open_file_cache_errors on;';
const NEVER = 'auth_request /d; try_files /.never @$go;';

function lint(server: string, root = 'root /dev/null;'): string {
  return lintEdge(new Map([['nginx.conf', `http { server { ${root} ${server} } }`]])).join('\n');
}

describe('the lint of files that nginx keeps in mind', () => {
  it('lets it do so where it reads cached decisions, and where it looks for the file that cannot be', () => {
    expect(lint(`location = /.lictor-decision { ${DECISION} ${OF_DECISIONS} }`)).toBe('');
    expect(lint(`location / { ${NEVER} ${OF_NO_FILE} }`)).toBe('');
    expect(lint(`location ^~ /svc/a/ { error_page 419 = @service_a_socket; if ($http_upgrade != "") { return 419; } ${NEVER} ${OF_NO_FILE} }`)).toBe('');
  });
  it.each([
    ['anywhere else', `location = /.elsewhere { ${DECISION} ${OF_DECISIONS} }`],
    ['for another cache', `location = /.lictor-decision { proxy_cache lictor_kept_a; ${OF_DECISIONS} }`],
    ['in a location of kept answers', `location @service_a_kept_1 { proxy_cache lictor_kept_a; ${OF_DECISIONS} }`],
    ['for the whole server', OF_NO_FILE],
    ['by one directive alone', 'open_file_cache_errors on;'],
    ['for files that there may be', `location / { auth_request /d; try_files $uri @$go; ${OF_NO_FILE} }`],
    ['with a root of its own', `location / { root /srv; ${NEVER} ${OF_NO_FILE} }`],
    ['with an alias', `location / { alias /srv; ${NEVER} ${OF_NO_FILE} }`],
    ['with a root under a condition', `location / { ${NEVER} ${OF_NO_FILE} if ($a) { root /srv; } }`],
    ['with a location inside', `location / { ${NEVER} ${OF_NO_FILE} location /a { internal; } }`],
  ])('refuses it %s', (_where, server) => {
    expect(lint(server)).toMatch(/open_file_cache\S* is used, and must not be/);
  });
  it('refuses it in a server that has files', () => {
    expect(lint(`location / { ${NEVER} ${OF_NO_FILE} }`, 'root /srv;')).toMatch(/must not be/);
    expect(lint(`location / { ${NEVER} ${OF_NO_FILE} }`, '')).toMatch(/must not be/);
  });
  it.each([
    ['longer than a second', OF_DECISIONS.replace('valid 1s', 'valid 2s')],
    ['for as long as nginx likes', OF_DECISIONS.replace('open_file_cache_valid 1s;', '')],
    ['that a file is not there', OF_DECISIONS.replace('errors off', 'errors on')],
    ['by events', `${OF_DECISIONS} open_file_cache_events on;`],
    ['twice', `${OF_DECISIONS} ${OF_DECISIONS}`],
  ])('refuses to keep a decision %s', (_how, directives) => {
    expect(lint(`location = /.lictor-decision { ${DECISION} ${directives} }`)).toMatch(/is not as it must be/);
  });
});
