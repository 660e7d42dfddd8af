/** libvirt's C functions, loaded at the first use; what fails is a VirbrError. The only user of `addon.libvirt`. */
import { loadAddon } from '../../binding/index.ts'
import type { Handle, LibvirtBinding, LibvirtFunctions } from '../../binding/index.ts'
import { toError } from './errors.ts'

type AnyFunction = (...args: unknown[]) => Promise<unknown>

const loaded: Record<string, AnyFunction> = {}
let binding: LibvirtBinding | undefined

function load(): LibvirtBinding {
  if (binding === undefined) {
    binding = loadAddon().libvirt
    for (const { name } of binding.table) {
      const native = (binding.functions as unknown as Record<string, AnyFunction | undefined>)[name]
      if (native !== undefined) loaded[name] = checked(name, native)
    }
    Object.freeze(loaded)
  }
  return binding
}

function checked(name: string, native: AnyFunction): AnyFunction {
  return Object.defineProperty(async (...args: unknown[]) => {
    try {
      return await native(...args)
    } catch (failure) {
      throw toError(name, args, failure, subjectOf(args[0]))
    }
  }, 'name', { value: name })
}

/** What the message should name: `network default`. */
function subjectOf(handle: unknown): string | undefined {
  const { kind, name } = (typeof handle === 'object' && handle !== null ? handle : {}) as Partial<Handle>
  return typeof kind === 'string' && typeof name === 'string' ? `${kind} ${name}` : undefined
}

/**
 * Every function of libvirt's C API that virbr binds, under its own name, with handles for pointers and results for
 * output arguments: binding/libvirt.ts lists them. Rejects with LibvirtError, UnsupportedError (libvirt is too old for
 * the function), ERR_LIBVIRT_MISSING, ClosedError, InvalidArgumentError.
 */
export const calls: LibvirtFunctions = new Proxy(loaded, {
  get(target, name, receiver) {
    load()
    return Reflect.get(target, name, receiver) as unknown
  },
  has(target, name) {
    load()
    return Reflect.has(target, name)
  },
  ownKeys(target) {
    load()
    return Reflect.ownKeys(target)
  },
  getOwnPropertyDescriptor(target, name) {
    load()
    return Reflect.getOwnPropertyDescriptor(target, name)
  },
}) as unknown as LibvirtFunctions

/** While somebody waits for an event: the process stays alive until as many `unref` as `ref`. */
export const liveliness = {
  ref(): void { load().ref() },
  unref(): void { load().unref() },
}

/** Handles, threads, calls and listeners of libvirt in this process: for leak tests. */
export function libvirtStats(): ReturnType<LibvirtBinding['stats']> {
  return load().stats()
}
