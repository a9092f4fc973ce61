// identity_providers: the list, and the checks that compare providers.
import { z } from 'zod';
import { BREAK_GLASS } from '../../contract/names.ts';
import type { Report } from '../report.ts';
import { ONLY_IF_SOUND, reporter, withoutDuplicates } from '../schema/issues.ts';
import type { Context } from './context.ts';
import { type IdentityProvider, identityProvider, PROVIDER_KINDS } from './provider-kinds.ts';

const [checkDuplicates, ifList] = withoutDuplicates('id', (id) => [`${String(id)} is there twice`, 'Give each identity provider an id of its own.'], ['id']);

export function providersSection(context: Context) {
  return z
    .array(identityProvider(context))
    .superRefine((providers, issues) => {
      const isSound = ONLY_IF_SOUND.when(issues);
      checkDuplicates(providers, issues);
      if (!isSound) return;
      const report = reporter(issues);
      checkIds(providers, report);
      checkCertificates(providers, context, report);
      checkNotOurselves(providers, context, report);
      checkOverlaps(providers, report);
    }, ifList)
    .prefault([])
    .describe('Who says who a principal is. Without any, service tokens alone get in.');
}

function checkIds(providers: readonly IdentityProvider[], report: Report): void {
  for (const [index, { id }] of providers.entries()) {
    if (id === BREAK_GLASS) report([index, 'id'], `${id} is the name of accounts that end by themselves`, 'Take another id.');
  }
  for (const [type, { single }] of Object.entries(PROVIDER_KINDS)) {
    if (single !== undefined && providers.filter((provider) => provider.type === type).length > 1)
      report([], `holds more than one of type ${type}`, `Keep one: ${single}.`);
  }
}

/** Client certificates need an authority, and TLS must end at the gateway. */
function checkCertificates(providers: readonly IdentityProvider[], { asksCertificates, tlsEndsInFront }: Context, report: Report): void {
  const at = providers.findIndex(({ type }) => type === 'mtls');
  if (at === -1 || asksCertificates) return;
  if (tlsEndsInFront) report([at], 'needs TLS to end here: the proxy in front does not pass certificates on', 'Let TLS end at the gateway, or remove it.');
  else report([at], 'has no authority to believe', 'Give the authorities that sign client certificates: tls.client_ca.');
}

/** The gateway signs tokens for services. They are never a credential for the gateway itself. */
function checkNotOurselves(providers: readonly IdentityProvider[], { publicUrl }: Context, report: Report): void {
  for (const [index, provider] of providers.entries()) {
    if (provider.type !== 'jwt' || publicUrl === undefined || provider.issuer.replace(/\/$/, '') !== `${publicUrl.origin}${publicUrl.basePath}`) continue;
    report([index, 'issuer'], 'is this gateway itself', 'Name the issuer that the tokens come from.');
  }
}

/** A token must never match two providers, because the choice would decide its rights. */
function checkOverlaps(providers: readonly IdentityProvider[], report: Report): void {
  for (const [index, provider] of providers.entries()) {
    if (provider.type !== 'jwt') continue;
    const { issuer, audiences } = provider;
    const earlier = providers
      .slice(0, index)
      .find((other) => other.type === 'jwt' && other.issuer === issuer && other.audiences.some((audience) => audiences.includes(audience)));
    if (earlier !== undefined) {
      report(
        [index, 'audience'],
        `overlaps ${earlier.id}: the same issuer and audience`,
        'Give each an audience of its own, or make one provider of them and distinguish them by claim:KEY=VALUE members.',
      );
    }
    const login = providers.find((other) => other.type === 'oidc' && other.issuer === issuer && audiences.includes(other.clientId));
    if (login !== undefined) {
      report(
        [index, 'audience'],
        `is the client_id of ${login.id}: every ID token of a login would be a credential`,
        'Let machines ask for tokens with an audience of their own.',
      );
    }
  }
}
