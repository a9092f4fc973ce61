// Location and Link of a service's answer: rewritten to stay inside the service, or dropped.
import type { Config } from '../../config/config.ts';
import type { Service } from '../../config/service.ts';
import { hasToken } from '../../config/service-way.ts';
import { formsOf, SHORTEST_MASKED } from '../../contract/secret-forms.ts';
import { SERVICES_PREFIX } from '../../contract/service-call.ts';
import { quoteVerbatim } from './quote.ts';
import { literal } from './render-base-path.ts';

/** The characters of a URL. Not the backslash, which browsers read as a slash, and not characters that browsers remove (WHATWG URL, 4.4). */
const LETTERS = "[A-Za-z0-9._~!$&'()*+,;=:@%/-]";
const QUERY = "(?:[?#][A-Za-z0-9._~!$&'()*+,;=:@%/?#\\[\\]-]*)?";
/** A dot segment in any spelling would leave the service. */
const NO_DOTS = '(?!(?:[^?#]*/)?(?:\\.|%2[eE]){1,2}(?:[/?#>]|$))';

/** A path from the root of the service, never `//host`. */
const ABSOLUTE = `${NO_DOTS}/(?!/)${LETTERS}*${QUERY}`;
/** Relative to the call, or only a query. No scheme may come before the first slash. */
const RELATIVE = `${NO_DOTS}(?=[^/])(?![A-Za-z0-9+.-]*:)${LETTERS}*${QUERY}`;

/** Only links between pages: a browser loads none of these by itself. */
const PARAMETERS = '; *rel="?(?:next|prev|previous|first|last|self|up)"?';
const MOST_LINKS = 4;

export function renderServiceAnswers({ services }: Pick<Config, 'services'>): string {
  const named = hidesCredentials(services) ? '$lictor_service$lictor_service_leak' : '$lictor_service';
  return `${renderLeak(services)}# The characters that nginx removes from an answer without a head, or with a status below 200 (raw-answer.conf). Status 009 means HTTP/0.9.
map $status $lictor_service_raw_lf { volatile; "~^[01]" "\\n"; default ""; }
map $status $lictor_service_raw_cr { volatile; "~^[01]" "\\r"; default ""; }
# A service may redirect and link only to itself.
map $upstream_http_location $lictor_service_location { "" ""; default $lictor_service_own_location; }
map $upstream_http_link $lictor_service_link { "" ""; default $lictor_service_own_link; }
map "${named} $upstream_http_location" $lictor_service_own_location {
    ${quoteVerbatim(`~^[a-z0-9-]+ (?<lictor_relative>${RELATIVE})$`)} $lictor_relative;
${services.map((service, place) => `    ${locationLine(service, place)}\n`).join('')}    default "";
}
map "${named} $upstream_http_link" $lictor_service_own_link {
${services.flatMap((service, place) => linkLines(service, place)).join('')}    default "";
}
`;
}

const ANSWER_CREDENTIALS = 'answer-credentials.conf';

/** If a redirect or link of a service has the gateway's credential, this map adds `!` to the name. Then no entry fits, and nginx drops the header. */
function renderLeak(services: readonly Service[]): string {
  if (!hidesCredentials(services)) return '';
  const keys = services.some(keyOf) ? `    include ${ANSWER_CREDENTIALS};\n` : '';
  const token = services.some(hasToken) ? ' $lictor_service_credential' : ' ';
  // If nginx cannot evaluate an expression, it uses the default.
  return `map "$lictor_service${token} $upstream_http_location $upstream_http_link" $lictor_service_leak {
${keys}${services.filter(hasToken).flatMap(tokenLines).join('')}    "~^" "";
    default "!";
}
`;
}

/** nginx knows a credential of a service, and an answer may repeat it. */
function hidesCredentials(services: readonly Service[]): boolean {
  return services.some((service) => keyOf(service) !== undefined || hasToken(service));
}

/** For constant credentials. The service proxy removes the others, because it adds them (src/proxies/egress/proxy). */
export function renderAnswerCredentials(services: readonly Service[]): readonly (readonly [string, string])[] {
  const lines = services.flatMap((service) => keyOf(service) ?? []);
  return lines.length === 0 ? [] : [[ANSWER_CREDENTIALS, lines.join('')]];
}

function keyOf({ name, injected }: Service): string | undefined {
  if (injected === null || !('header' in injected)) return undefined;
  const secret = injected.value.replace(/^Basic /, '');
  if (secret.length < SHORTEST_MASKED) return undefined;
  const forms = formsOf(secret).map((form) => form.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return `${quoteVerbatim(`~*^${name} .*(?:${[...new Set(forms)].join('|')})`)} "!";\n`;
}

/** Characters of an access token that every spelling in a link leaves unchanged. */
const PLAIN = '[A-Za-z0-9._-]';
const MOST_LETTERS = 8_192;

/**
 * The token changes often, so it is in the key. If a link repeats a run of its plain characters, nginx drops the link. nginx cannot find a token
 * without such a run, or one in a very long header. Then it drops every link.
 */
function tokenLines({ name }: Service): readonly string[] {
  const trace = `${PLAIN}{${SHORTEST_MASKED},}`;
  const lines = [
    `~^${name} (?!Bearer \\S*${trace})`,
    `~^${name} Bearer \\S+ .{${MOST_LETTERS + 1}}`,
    `~*^${name} Bearer (?:\\S*?[^\\sA-Za-z0-9._-])?(${trace})(?!${PLAIN})\\S* .*\\1`,
  ];
  return lines.map((line) => `    ${quoteVerbatim(line)} "!";\n`);
}

function own({ name }: Service): string {
  return `$lictor_base${SERVICES_PREFIX}${name}`;
}

/** The addresses of the servers, with and without the default port of the scheme, and their common path. */
function root({ servers, path }: Service): string {
  const authorities = servers.flatMap(({ origin }) => {
    const { host, port, protocol } = new URL(origin);
    return port === '' ? [host, `${host}:${protocol === 'https:' ? 443 : 80}`] : [host];
  });
  const plain = authorities.map((authority) => authority.replaceAll(/[.[\]]/g, '\\$&'));
  return `(?:(?i:https?://(?:${plain.join('|')})))?${literal(path)}`;
}

function locationLine(service: Service, place: number): string {
  return `${quoteVerbatim(`~^${service.name} ${root(service)}(?<lictor_location_${place}>${ABSOLUTE})$`)} "${own(service)}$lictor_location_${place}";`;
}

/** One link outside the service drops the whole header. */
function linkLines(service: Service, place: number): readonly string[] {
  return Array.from({ length: MOST_LINKS }, (_, more) => {
    const numbers = Array.from({ length: more + 1 }, (_each, number) => `${place}_${number}`);
    const links = numbers.map((number) => `<${root(service)}(?<lictor_link_${number}>${ABSOLUTE})>(?<lictor_rel_${number}>${PARAMETERS})`);
    const value = numbers.map((number) => `<${own(service)}$lictor_link_${number}>$lictor_rel_${number}`);
    return `    ${quoteVerbatim(`~^${service.name} ${links.join(', *')}$`)} "${value.join(', ')}";\n`;
  });
}
