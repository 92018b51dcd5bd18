// Where things are. This file lies two folders below the root, and so does the bundle, in build/bench/.

/** The project's root. */
export const ROOT = new URL("../../", import.meta.url);

/** What is published: the kernels among it. */
export const DIST = new URL("dist/", ROOT);

/** The bundle: the workers and processes that the benchmark starts. */
export const BUNDLE = new URL("build/bench/", ROOT);
