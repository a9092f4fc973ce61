// The texts of own policies as they were read or kept: file name -> content.

/** `*.cedar` and `*.vectors.yaml`, by name without a directory. */
export type PolicyFiles = Readonly<Record<string, string>>;
