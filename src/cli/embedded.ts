/** The embedded kernel with its maps in a directory, in one piece to load. */
export { DirectoryBacking } from "../kernel/directory/directory-backing.ts";
export { bytesOfMaps } from "../kernel/directory/registry.ts";
export { DirectoryUnavailableError } from "../kernel/directory/system.ts";
export { EmbeddedKernel } from "../kernel/embedded/embedded-kernel.ts";
