// The kernel's only imported function. asc names an import after the file that declares it: `env.now`.

/** A monotonic clock in milliseconds. Read for statistics and time limits only: it never touches a result. */
export declare function now(): f64;
