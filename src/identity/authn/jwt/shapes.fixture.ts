// For tests: the claims that real issuers write, by their documentation, without the times.

/** GitHub Actions: https://token.actions.githubusercontent.com. */
export const GITHUB = {
  jti: 'a7f93c4e-0f0e-4f4e-8a52-5c0a0a1f2b3c',
  sub: 'repo:acme/etl:ref:refs/heads/main',
  aud: 'lictor',
  ref: 'refs/heads/main',
  sha: '5a1b2c3d4e5f60718293a4b5c6d7e8f901234567',
  repository: 'acme/etl',
  repository_owner: 'acme',
  actor_id: '12',
  repository_visibility: 'private',
  repository_id: '74',
  repository_owner_id: '65',
  run_id: '1234567890',
  run_number: '10',
  run_attempt: '2',
  runner_environment: 'github-hosted',
  actor: 'octocat',
  workflow: 'deploy',
  head_ref: '',
  base_ref: '',
  event_name: 'push',
  ref_protected: 'true',
  ref_type: 'branch',
  workflow_ref: 'acme/etl/.github/workflows/deploy.yml@refs/heads/main',
  job_workflow_ref: 'acme/etl/.github/workflows/deploy.yml@refs/heads/main',
} as const;

/** GitLab CI/CD `id_tokens`. */
export const GITLAB = {
  namespace_id: '72',
  namespace_path: 'acme',
  project_id: '20',
  project_path: 'acme/etl',
  user_id: '1',
  user_login: 'dana',
  user_email: 'dana@example.com',
  user_access_level: 'developer',
  user_identities: [{ provider: 'github', extern_uid: '2435223452345' }],
  pipeline_id: '574',
  pipeline_source: 'push',
  job_id: '302',
  ref: 'main',
  ref_type: 'branch',
  ref_path: 'refs/heads/main',
  ref_protected: 'true',
  groups_direct: ['acme/platform', 'acme/data'],
  environment: 'production',
  environment_protected: 'false',
  runner_id: 1,
  runner_environment: 'self-hosted',
  sub: 'project_path:acme/etl:ref_type:branch:ref:main',
  aud: 'lictor',
  jti: '235b3a54-b797-45c7-ae9a-f72d7bc6ef5b',
} as const;

/** A projected service account token of Kubernetes; its header has neither typ nor anything but alg and kid. */
export const KUBERNETES = {
  aud: ['lictor'],
  jti: 'aed34954-b33a-4142-b1ec-389d6bbb4936',
  'kubernetes.io': {
    namespace: 'flows',
    node: { name: 'node-1', uid: '646e7c5e-32d6-4d42-9dbd-e504e6cbe6b1' },
    pod: { name: 'worker-0', uid: '5e0bd49b-f040-43b0-99b7-22765a53f7f3' },
    serviceaccount: { name: 'etl', uid: '14ee3fa4-a7e2-420f-9f9a-dbc4507c3798' },
    warnafter: 1_700_003_000,
  },
  sub: 'system:serviceaccount:flows:etl',
} as const;

/** Keycloak, client credentials. */
export const KEYCLOAK = {
  jti: 'trrtcc:8f3c2a10-1b2c-3d4e-5f60-718293a4b5c6',
  aud: ['lictor', 'account'],
  sub: '0f5c1a62-6f0e-4b3a-9d61-1c2f3a4b5c6d',
  typ: 'Bearer',
  azp: 'etl-worker',
  acr: '1',
  realm_access: { roles: ['offline_access', 'default-roles-data'] },
  scope: 'profile email',
  client_id: 'etl-worker',
  preferred_username: 'service-account-etl-worker',
} as const;

/** AWS STS GetWebIdentityToken. */
export const AWS = {
  aud: 'lictor',
  sub: 'arn:aws:iam::123456789012:role/etl',
  jti: 'b1c2d3e4-0000-4000-8000-123456789abc',
  'https://sts.amazonaws.com/': {
    aws_account: '123456789012',
    source_region: 'eu-west-1',
    org_id: 'o-abc123',
    principal_id: 'arn:aws:iam::123456789012:role/etl',
    request_tags: { team: 'data' },
  },
} as const;
