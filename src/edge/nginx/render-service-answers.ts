// Location and Link of a service's answer: rewritten to stay inside the service, or dropped.
import type { Config } from '../../config/config.ts';
import type { Service } from '../../config/service.ts';
import { hasToken } from '../../config/service-way.ts';
import { formsOf, SHORTEST_MASKED } from '../../contract/secret-forms.ts';
import { SERVICES_PREFIX } from '../../contract/service-call.ts';
import { quoteVerbatim } from './quote.ts';
import { literal } from './render-base-path.ts';

/** What a URL is made of, without a backslash, which browsers take for a slash, and without what they leave out (WHATWG URL, 4.4). */
const LETTERS = "[A-Za-z0-9._~!$&'()*+,;=:@%/-]";
const QUERY = "(?:[?#][A-Za-z0-9._~!$&'()*+,;=:@%/?#\\[\\]-]*)?";
/** A dot segment in any spelling would lead out. */
const NO_DOTS = '(?!(?:[^?#]*/)?(?:\\.|%2[eE]){1,2}(?:[/?#>]|$))';

/** A path from the root of the service, never `//host`. */
const ABSOLUTE = `${NO_DOTS}/(?!/)${LETTERS}*${QUERY}`;
/** Relative to the call, or a query alone: no scheme before a first slash. */
const RELATIVE = `${NO_DOTS}(?=[^/])(?![A-Za-z0-9+.-]*:)${LETTERS}*${QUERY}`;

/** Ways through pages, and nothing that a browser would load. */
const PARAMETERS = '; *rel="?(?:next|prev|previous|first|last|self|up)"?';
const MOST_LINKS = 4;

export function renderServiceAnswers({ services }: Pick<Config, 'services'>): string {
  const named = hidesCredentials(services) ? '$lictor_service$lictor_service_told' : '$lictor_service';
  return `${renderTold(services)}# What is taken out of an answer that has no head, or none of its own (raw-answer.conf): 009 is nginx's word for HTTP/0.9.
map $status $lictor_service_raw_lf { volatile; "~^[01]" "\\n"; default ""; }
map $status $lictor_service_raw_cr { volatile; "~^[01]" "\\r"; default ""; }
# Where a service sends its callers: nowhere but to itself.
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

/** If a service puts the gateway's credential into a redirect, the name of the map's entry changes. No entry fits, so no client gets the credential. */
function renderTold(services: readonly Service[]): string {
  if (!hidesCredentials(services)) return '';
  const keys = services.some(keyOf) ? `    include ${ANSWER_CREDENTIALS};\n` : '';
  const shown = services.some(hasToken) ? ' $lictor_service_credential' : ' ';
  // Where an expression cannot be carried out, nginx takes the default.
  return `map "$lictor_service${shown} $upstream_http_location $upstream_http_link" $lictor_service_told {
${keys}${services.filter(hasToken).flatMap(tokenLines).join('')}    "~^" "";
    default "!";
}
`;
}

/** What a service is shown is known to nginx, and may be in an answer. */
function hidesCredentials(services: readonly Service[]): boolean {
  return services.some((service) => keyOf(service) !== undefined || hasToken(service));
}

/** What stands in a header of the gateway's and never changes; other credentials are taken out where they are added (src/proxies/egress/proxy). */
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

/** Letters of an access token that no spelling of it in a link changes. */
const PLAIN = '[A-Za-z0-9._-]';
const MOST_LETTERS = 8_192;

/**
 * The token changes all the time, so it is in the key: a run of its plain letters that stands in a link as well is its trace. One without such a run
 * cannot be looked for, nor can what is longer than any link; then there are none.
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

/** The servers' own addresses, with and without the port that the scheme has anyway; and the path of all of them. */
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

/** All of them or none: a header of one that leads elsewhere is dropped whole. */
function linkLines(service: Service, place: number): readonly string[] {
  return Array.from({ length: MOST_LINKS }, (_, more) => {
    const numbers = Array.from({ length: more + 1 }, (_each, number) => `${place}_${number}`);
    const links = numbers.map((number) => `<${root(service)}(?<lictor_link_${number}>${ABSOLUTE})>(?<lictor_rel_${number}>${PARAMETERS})`);
    const value = numbers.map((number) => `<${own(service)}$lictor_link_${number}>$lictor_rel_${number}`);
    return `    ${quoteVerbatim(`~^${service.name} ${links.join(', *')}$`)} "${value.join(', ')}";\n`;
  });
}
