/** Protection of mmap(2), `include/uapi/asm-generic/mman-common.h`. */
export const PROT_READ = 1;
export const PROT_WRITE = 2;
