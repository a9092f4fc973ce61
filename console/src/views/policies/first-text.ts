/** The text of a new file: valid, and without an effect until it is changed. */
export function firstText(name: string): string {
  return name.endsWith('.cedar') ? POLICY : VECTORS;
}

const POLICY = `@id("choose-a-name")
@description("What it is for")
forbid (principal == Principal::"somebody@example", action in Action::"configure", resource);
`;

const VECTORS = `vectors:
  - name: a viewer reads flows
    principal: { roles: [viewer] }
    action: flows.read
    expect: allow
`;
