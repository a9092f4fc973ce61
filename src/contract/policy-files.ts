// The texts of own policies as read from disk or from the store: file name -> content.

/** `*.cedar` and `*.vectors.yaml`, by name without a directory. */
export type PolicyFiles = Readonly<Record<string, string>>;
