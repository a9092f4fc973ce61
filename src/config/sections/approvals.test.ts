// approvals: what a rule may name, and who may approve.
import { afterAll, describe, expect, it } from 'vitest';
import { openTestFile, SMALLEST } from '../test-file.ts';

const file = openTestFile();
const { accepted, problems } = file;
afterAll(() => file.remove());

const PROVIDERS = `identity_providers:
  - { id: corp, type: oidc, issuer: https://idp.example.com, client_id: lictor }
  - { id: ci, type: jwt, issuer: https://ci.example.com, audience: lictor }
`;
const HEAD = `${SMALLEST}${PROVIDERS}`;

function withRule(rule: string): string {
  return `${HEAD}approvals:\n  - { name: deletes, ${rule} }\n`;
}

describe('approvals', () => {
  it('hold nothing by default, and 15 minutes where the rule says nothing', () => {
    expect(accepted(SMALLEST).approvals).toEqual([]);
    expect(accepted(withRule('principals: ["agent:*"], actions: [deployments.delete], approvers: sponsor')).approvals).toEqual([
      { name: 'deletes', principals: ['agent:*'], actions: ['deployments.delete'], approvers: 'sponsor', expiresMs: 900_000, notify: null },
    ]);
  });

  it('have approvers of their own, a time and an announcement', () => {
    const rule = 'principals: ["group:a@corp", "token:etl"], actions: [flow_runs.cancel], approvers: ["group:leads@corp"], expires: 24h';
    expect(accepted(withRule(`${rule}, notify: { webhook: "http://127.0.0.1:9/x" }`)).approvals).toMatchObject([
      { approvers: ['group:leads@corp'], expiresMs: 86_400_000, notify: { webhook: 'http://127.0.0.1:9/x', secret: null } },
    ]);
  });

  it.each([
    ['principals: ["user:alice@corp"], actions: [a], approvers: sponsor', 'approvals[0].approvers', /others than agents.*people and groups/],
    ['principals: ["agent:*", "token:etl"], actions: [a], approvers: sponsor', 'approvals[0].approvers', /others than agents/],
    ['principals: ["agent:copilt"], actions: [a], approvers: sponsor', 'approvals[0].principals[0]', /not an agent/],
    ['principals: ["group:a@crop"], actions: [a], approvers: ["*@corp"]', 'approvals[0].principals[0]', /no identity provider/],
    ['principals: [], actions: [a], approvers: ["*@corp"]', 'approvals[0].principals', /./],
    ['principals: ["agent:*"], actions: [], approvers: sponsor', 'approvals[0].actions', /./],
    ['principals: ["agent:*"], actions: [a], approvers: []', 'approvals[0].approvers', /./],
    ['principals: ["agent:*"], actions: [a], approvers: ["token:etl"]', 'approvals[0].approvers[0]', /only people approve/],
    ['principals: ["agent:*"], actions: [a], approvers: ["user:x@ci"]', 'approvals[0].approvers[0]', /only people approve/],
    ['principals: ["agent:*"], actions: [a], approvers: ["agent:copilot"]', 'approvals[0].approvers[0]', /only people approve/],
    ['principals: ["agent:*"], actions: [a], approvers: sponsor, expires: 25h', 'approvals[0].expires', /24h/],
    ['principals: ["agent:*"], actions: [a], approvers: sponsor, notify: { webhook: "http://hooks.example.com/" }', 'approvals[0].notify.webhook', /https/],
    [
      'principals: ["agent:*"], actions: [a], approvers: sponsor, notify: { webhook: "https://hooks.example.com/", secret_file: none }',
      'approvals[0].notify.secret_file',
      /does not exist/,
    ],
    [
      'principals: ["agent:*"], actions: [a], approvers: sponsor }, { name: deletes, principals: ["agent:*"], actions: [b], approvers: sponsor',
      'approvals[1]',
      /name of another/,
    ],
  ])('reject %s', (rule, path, words) => {
    const found = problems(withRule(rule).replaceAll('}, {', '}\n  - {'));
    expect(found.map((problem) => problem.path)).toContain(path);
    expect(found.map(({ message, remedy }) => `${message} ${remedy}`).join('\n')).toMatch(words);
  });
});
