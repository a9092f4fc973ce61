// The answer of STS to GetCallerIdentity, and the identity that it names.
import type { Identity } from '../../../contract/identity.ts';

export interface AwsIdentity {
  readonly arn: string;
  readonly account: string;
}

/** XML of a fixed form. Undefined for any other form, or if a name appears twice. Entities never appear in these values. */
export function parseAwsIdentity(xml: string): AwsIdentity | undefined {
  const inner =
    /^\s*(?:<\?xml [^>]*\?>\s*)?<GetCallerIdentityResponse xmlns="https:\/\/sts\.amazonaws\.com\/doc\/2011-06-15\/">([\s\S]*)<\/GetCallerIdentityResponse>\s*$/.exec(
      xml,
    )?.[1];
  if (inner === undefined) return undefined;
  const [arn, account] = [only(inner, 'Arn'), only(inner, 'Account')];
  return arn === undefined || account === undefined || !/^[0-9]{12}$/.test(account) ? undefined : { arn, account };
}

/**
 * A role by the ARN that its sessions share, a user by its own ARN. Undefined: neither of them (the account's root, a federated user), or
 * another account than STS names. STS leaves out the path of a role: `role/etl` also stands for `role/team/etl`. Names are unique in an account.
 */
export function toIdentity({ arn, account }: AwsIdentity, idp: string): Identity | undefined {
  const role = /^arn:(aws[a-z-]*):sts::([0-9]{12}):assumed-role\/([\w+=,.@-]{1,64})\/([\w+=,.@-]{2,64})$/.exec(arn);
  const user = /^arn:aws[a-z-]*:iam::([0-9]{12}):user\/[!-~]{1,512}$/.exec(arn);
  if ((role?.[2] ?? user?.[1]) !== account) return undefined;
  const name = role === null ? arn : `arn:${role[1]}:iam::${account}:role/${role[3]}`;
  if (name.includes('*')) return undefined;
  return { idp, subject: name, name, kind: 'service', groups: [], claims: { account, ...(role !== null && { session: role[4] ?? '' }) } };
}

function only(xml: string, element: string): string | undefined {
  const [found, ...more] = [...xml.matchAll(new RegExp(`<${element}>([^<>&]*)</${element}>`, 'g'))];
  return more.length === 0 ? found?.[1] : undefined;
}
