import {
  EACCES,
  EBADF,
  EBUSY,
  EEXIST,
  EINVAL,
  EISDIR,
  ENAMETOOLONG,
  ENOENT,
  ENOTDIR,
  ENOTEMPTY,
  ENOTSUP,
  EPERM,
  ESTALE,
  EUCLEAN,
} from "../../abi/errno.ts";
import { nearest, quote } from "../../layout/fault.ts";
import { fdClosed, fdClosedInDisguise, kernelClosed } from "./closed.ts";
import { type Failure, firstOf, mapOf, type Rule, type Rules } from "./failure.ts";
import { wrongOpenFlags } from "./map-fds.ts";
import { isBpffs, namesIn, walk, whereBpffsIs } from "./path-walk.ts";

const NAME_MAX = 255;
const PATH_MAX = 4095;

/** A rule about the path, which every failure here has. */
function ofPath(rule: (failure: Failure, path: string) => string | undefined): Rule {
  return (failure) => (failure.path === undefined ? undefined : rule(failure, failure.path));
}

const emptyPath = ofPath((_failure, path) => (path === "" ? "the path is empty." : undefined));

const nulInPath = ofPath((_failure, path) =>
  path.includes("\0") ? `the path ${quote(path)} has a NUL character, where it would end.` : undefined,
);

const tooLong = ofPath((_failure, path) => {
  const bytes = new TextEncoder().encode(path).length;
  const name = path.split("/").find((each) => new TextEncoder().encode(each).length > NAME_MAX);
  if (name === undefined) return `the path is ${bytes} bytes long, and a path has at most ${PATH_MAX}.`;
  return `the name ${quote(name)} is longer than ${NAME_MAX} bytes.`;
});

const missingDirectory = ofPath((failure, path) => {
  const { at, parent, is, isLast } = walk(failure, path);
  if (is !== "missing" || isLast) return undefined;
  if (isBpffs(failure, parent)) return `the directory ${at} is missing: make it first, with bpffs.mkdir.`;
  return `the ${failure.kernel.name} kernel has no directory ${at}: ${whereBpffsIs(failure)}.`;
});

/** BPF_OBJ_PIN and mkdir make the last name, so that it is missing says nothing. */
const trailingSlash = ofPath((_failure, path) =>
  path.endsWith("/") ? `${path} ends with a slash, as if it were a directory: a pin's path does not.` : undefined,
);

const missingName = ofPath((failure, path) => {
  const { at, name, parent, is } = walk(failure, path);
  if (is !== "missing") return undefined;
  if (!isBpffs(failure, parent))
    return `there is nothing at ${at}, outside any BPF filesystem: ${whereBpffsIs(failure)}.`;
  const meant = nearest(name, namesIn(failure, parent));
  const hint = meant === undefined ? "" : `, but there is ${quote(meant)} in ${parent}`;
  return `there is nothing at ${at}${hint}.`;
});

const dottedName = ofPath((failure, path) => {
  const { name, is } = walk(failure, path);
  if (is !== "refused") return undefined;
  return `the name ${quote(name)} has a dot, which Linux keeps for itself in a BPF filesystem: choose a name without.`;
});

const outside = ofPath((failure, path) => {
  const { parent } = walk(failure, path);
  if (isBpffs(failure, parent)) return undefined;
  if (isBpffs(failure, path)) return `${path} is where a BPF filesystem begins: it is not made or removed from inside.`;
  return `${path} lies outside any BPF filesystem, in which alone there are pins: ${whereBpffsIs(failure)}.`;
});

const notDirectory = ofPath((failure, path) => {
  const { at, is, isLast } = walk(failure, path);
  if (is !== "file") return undefined;
  if (!isLast) return `${at} is no directory: nothing lies below it.`;
  return NOT_DIRECTORY[String(failure.command)]?.(at) ?? `${at} is a pin: its path does not end with a slash.`;
});

const NOT_DIRECTORY: Readonly<Record<string, (at: string) => string>> = {
  readdir: (at) => `${at} is a pin, and only directories are listed.`,
  rmdir: (at) => `${at} is a pin, and no directory: take it away with bpffs.unlink.`,
};

const taken = ofPath((failure, path) => {
  const { at, is } = walk(failure, path);
  if (is === "outside") return outside(failure);
  if (is === "directory") return `${at} is there already, and is a directory: choose another name.`;
  return `something is pinned at ${at} already: open it with openMap, take it away with bpffs.unlink, or choose another name.`;
});

const noPin = ofPath((failure, path) => {
  const { at, is } = walk(failure, path);
  if (is === "directory") return `${path} is a directory, not a pin: name one of its entries.`;
  return is === "outside" ? outside(failure) : forbidden(at);
});

function forbidden(at: string): string {
  return `this process may not open ${at}: it is no map, or its permissions are for another user, usually root.`;
}

const forbiddenPath = ofPath((failure, path) => forbidden(walk(failure, path).at));

function common(): Rules {
  return {
    [EBADF]: kernelClosed,
    [ENAMETOOLONG]: tooLong,
    [ENOTDIR]: notDirectory,
    [EINVAL]: nulInPath,
    [EPERM]: firstOf(emptyPath, nulInPath, dottedName, outside),
    [EACCES]: forbiddenPath,
    [ENOENT]: firstOf(emptyPath, nulInPath, missingDirectory, missingName),
  };
}

export function pinRules(): Rules {
  return {
    ...common(),
    [EBADF]: fdClosed,
    [EINVAL]: firstOf(
      fdClosedInDisguise,
      (failure) => `fd ${failure.fd} of ${mapOf(failure)} cannot be pinned with these flags.`,
    ),
    [EEXIST]: taken,
    [ENOENT]: firstOf(emptyPath, nulInPath, missingDirectory, trailingSlash, outside),
    [ENOTSUP]: () => "a program cannot be pinned in a directory of maps: it lives in the memory of one process.",
  };
}

export function getRules(): Rules {
  return {
    ...common(),
    [EACCES]: noPin,
    [EINVAL]: wrongOpenFlags,
    [ENOTSUP]: ofPath(
      (_failure, path) =>
        `${path} is of a newer version of mapiary, or of a type that cannot be shared: use that version.`,
    ),
    [EUCLEAN]: ofPath(
      (_failure, path) =>
        `${path} is damaged: it is no longer, or never was, the file of a map. Take it away with bpffs.unlink.`,
    ),
    [ESTALE]: ofPath(
      (_failure, path) =>
        `${path} was written before this machine was last started, and a BPF filesystem does not outlive that. Take it away with bpffs.unlink.`,
    ),
  };
}

export function mkdirRules(): Rules {
  return { ...common(), [EEXIST]: taken };
}

export function rmdirRules(): Rules {
  return {
    ...common(),
    [ENOTEMPTY]: ofPath((failure, path) => {
      const names = namesIn(failure, path);
      return `the directory ${path} is not empty: it has ${names.slice(0, 5).join(", ")}${names.length > 5 ? " …" : ""}.`;
    }),
    [EBUSY]: ofPath((_failure, path) => `${path} is in use: something is mounted there.`),
  };
}

export function unlinkRules(): Rules {
  return {
    ...common(),
    [EISDIR]: ofPath((_failure, path) => `${path} is a directory: remove it with bpffs.rmdir.`),
  };
}

export function readdirRules(): Rules {
  return common();
}
