/** What of the embedded kernel a command needs, in one piece to load: maps in a directory, and no programs. */
export { DirectoryBacking } from "../kernel/directory/directory-backing.ts";
export { bytesOfMaps } from "../kernel/directory/registry.ts";
export { DirectoryUnavailableError } from "../kernel/directory/system.ts";
export { MapKernel } from "../kernel/embedded/map-kernel.ts";
