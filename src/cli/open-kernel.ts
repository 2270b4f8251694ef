import { CliError } from "./cli-error.ts";
import { type CliKernel, cliKernel, type KernelName } from "./cli-kernel.ts";

/** Opens a kernel for the command line. Throws a `CliError` where the running one cannot be used. */
export async function openKernel(name: KernelName, _bpffs: string | undefined): Promise<CliKernel> {
  return name === "linux" ? await openLinux() : await openEmbedded();
}

async function openLinux(): Promise<CliKernel> {
  const { LinuxKernel } = await import("../kernel/linux/linux-kernel.ts");
  try {
    return cliKernel(new LinuxKernel(), "the running Linux kernel");
  } catch (error) {
    throw new CliError("the running Linux kernel cannot be used", { hint: (error as Error).message, cause: error });
  }
}

async function openEmbedded(): Promise<CliKernel> {
  const { EmbeddedKernel } = await import("../kernel/embedded/embedded-kernel.ts");
  return cliKernel(new EmbeddedKernel(), "the embedded kernel");
}
