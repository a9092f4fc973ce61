import { Checkbox } from '../../parts/fields.tsx';
import { ROLES, type Role } from './token-form.ts';

const ABOUT: Readonly<Record<Role, string>> = {
  worker: 'polls work pools and reports on their runs',
  viewer: 'reads',
  operator: 'starts, cancels and retries runs',
  deployer: 'writes deployments',
  run: 'reports on runs',
  agent: 'an AI agent',
  auditor: 'reads the ledger and who has access',
  admin: 'everything',
};

/** At least one, unless the name is an agent. */
export function RoleChoice({ chosen, onChange }: { readonly chosen: readonly Role[]; readonly onChange: (roles: readonly Role[]) => void }) {
  return (
    <fieldset className="choice">
      <legend className="field-label">Roles</legend>
      <div className="choices">
        {ROLES.map((role) => (
          <Checkbox
            key={role}
            isOn={chosen.includes(role)}
            onChange={(isOn) => onChange(isOn ? [...chosen, role] : chosen.filter((each) => each !== role))}
            label={
              <span>
                {role} <span className="muted">{ABOUT[role]}</span>
              </span>
            }
          />
        ))}
      </div>
    </fieldset>
  );
}
