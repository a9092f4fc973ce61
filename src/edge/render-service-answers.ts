// Location and Link of a service's answer: rewritten to stay inside the service, or dropped.
import type { Config, Service } from '../config/config.ts';
import { SERVICES_PREFIX } from '../contract/service-call.ts';
import { formsOf, SHORTEST_MASKED } from '../egress/courier/query.ts';
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
  const told = services.some(toldOf) ? `    include ${ANSWER_CREDENTIALS};\n` : '';
  return `# What is taken out of an answer that has no head, or none of its own (service-answer.conf): 009 is nginx's word for HTTP/0.9.
map $status $lictor_service_raw_lf { volatile; "~^[01]" "\\n"; default ""; }
map $status $lictor_service_raw_cr { volatile; "~^[01]" "\\r"; default ""; }
# Where a service sends its callers: nowhere but to itself.
map $upstream_http_location $lictor_service_location { "" ""; default $lictor_service_own_location; }
map $upstream_http_link $lictor_service_link { "" ""; default $lictor_service_own_link; }
map "$lictor_service $upstream_http_location" $lictor_service_own_location {
${told}    ${quoteVerbatim(`~^[a-z0-9-]+ (?<lictor_relative>${RELATIVE})$`)} $lictor_relative;
${services.map((service, place) => `    ${locationLine(service, place)}\n`).join('')}    default "";
}
map "$lictor_service $upstream_http_link" $lictor_service_own_link {
${told}${services.flatMap((service, place) => linkLines(service, place)).join('')}    default "";
}
`;
}

/** Its lines stand in both maps: a service that puts the gateway's own credential into a link sends nobody anywhere. */
const ANSWER_CREDENTIALS = 'answer-credentials.conf';

/** What stands in a header of the gateway's; other credentials are taken out where they are shown (src/egress/courier), or change all the time. */
export function renderAnswerCredentials(services: readonly Service[]): readonly (readonly [string, string])[] {
  const lines = services.flatMap((service) => toldOf(service) ?? []);
  return lines.length === 0 ? [] : [[ANSWER_CREDENTIALS, lines.join('')]];
}

function toldOf({ name, injected }: Service): string | undefined {
  if (injected === null || !('header' in injected)) return undefined;
  const secret = injected.value.replace(/^Basic /, '');
  if (secret.length < SHORTEST_MASKED) return undefined;
  const forms = formsOf(secret).map((form) => form.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return `${quoteVerbatim(`~*^${name} .*(?:${[...new Set(forms)].join('|')})`)} "";\n`;
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
