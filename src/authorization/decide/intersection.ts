// The right of a principal with `limitedBy` is the intersection: each principal of the chain is ruled by its own roles, and all must allow.
import { chainOf, type Principal } from '../../contract/principal.ts';
import type { Ruling } from './rule.ts';

/** `rule`: the rulings of one principal. It may stop at a foreign object and return fewer than `count`. */
export async function ruleForEach(
  principal: Principal,
  count: number,
  rule: (each: Principal) => readonly Ruling[] | Promise<readonly Ruling[]>,
): Promise<readonly Ruling[]> {
  if (principal.limitedBy === undefined) return rule(principal);
  const ruled = await Promise.all(chainOf(principal).map(async (each) => withLacking(principal, each, await rule(each))));
  return ruled.find((rulings) => rulings.length < count) ?? ruled.reduce((left, right) => left.map((ruling, index) => both(ruling, right[index])));
}

function withLacking(principal: Principal, { id }: Principal, rulings: readonly Ruling[]): readonly Ruling[] {
  const mark = (ruling: Ruling): Ruling => (ruling.decision.enforced === 'allow' ? ruling : { ...ruling, decision: { ...ruling.decision, lackedBy: id } });
  return id === principal.id ? rulings : rulings.map(mark);
}

/** A foreign object comes before every other reason: the answer must not say that it exists. */
function both(left: Ruling, right: Ruling | undefined): Ruling {
  if (right === undefined) throw new Error('a principal of the chain has no ruling');
  const denied = [left, right].filter(({ decision }) => decision.enforced !== 'allow');
  const [first] = denied;
  if (first !== undefined) return denied.find(({ decision }) => decision.reason === 'object-foreign') ?? first;
  const policies = [...new Set([...left.decision.policies, ...right.decision.policies])];
  return {
    decision: { ...(left.decision.effect === 'allow' ? right : left).decision, policies },
    restrictions: [...left.restrictions, ...right.restrictions],
    entity: left.entity ?? right.entity,
  };
}
