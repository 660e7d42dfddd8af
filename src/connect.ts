import { InvalidArgumentError, didYouMean } from './errors.ts'
import type { LibvirtConnection } from './libvirt/connection.ts'
import type { LibvirtOptions } from './libvirt/open.ts'
import type { Connection } from './network/connection.ts'

const defaultUri = 'kernel:///system'
const kernelParameters = ['netns', 'root', 'dnsmasq'] as const

/** `signal` is for every driver; the others are for libvirt. */
export type ConnectOptions = LibvirtOptions

/** URIs that are libvirt's for sure. */
type LibvirtScheme = 'qemu' | 'test' | 'xen' | 'lxc' | 'vz' | 'ch' | 'bhyve' | 'esx' | 'vpx' | 'vbox' | 'hyperv' | 'network' | 'interface' | 'nwfilter'
export type LibvirtUri = `${LibvirtScheme}${':' | '+'}${string}`

/**
 * Connects to a driver of networks.
 *
 * @param uri libvirt's (`qemu:///system`, `qemu+ssh://HOST/system`, `test:///default`, …: https://libvirt.org/uri.html), or
 * `kernel:///system`, with `?netns=` (name or path of a network namespace), `root=` (directory for state, default
 * /run/virbr and /etc/virbr) and `dnsmasq=` (path of the program). Default: `$VIRBR_URI`, else `kernel:///system`.
 * @param options for libvirt only, but for `signal`: which ends the wait
 *
 * kernel: what a killed process or a reboot has left half-done is repaired first. Rejects with ERR_INVALID_URI,
 * ERR_NO_NETNS, ERR_STATE_DIR (state cannot be written, or belongs to another namespace).
 * libvirt: rejects with ERR_INVALID_URI, ERR_NO_CONNECTION (nobody there), ERR_AUTH, ERR_NO_PERMISSION,
 * ERR_LIBVIRT_MISSING, ERR_LIBVIRT, ERR_INVALID_ARGUMENT for an option.
 */
export function connect(uri: LibvirtUri, options?: ConnectOptions): Promise<LibvirtConnection>
export function connect(uri?: string, options?: ConnectOptions): Promise<Connection>
export async function connect(uri: string = process.env.VIRBR_URI ?? defaultUri, options: ConnectOptions = {}): Promise<Connection> {
  checkUri(uri)
  if (/^kernel:/i.test(uri)) return connectToKernel(uri, options)
  const { connectLibvirt } = await import('./libvirt/connection.ts')
  return connectLibvirt(uri, options)
}

async function connectToKernel(uri: string, options: ConnectOptions): Promise<Connection> {
  const { host, pathname, searchParams } = parseUri(uri)
  if (host !== '' || pathname !== '/system') throw invalid(uri, `${defaultUri}, with ?netns=, root= or dnsmasq=`)
  const parameters: Partial<Record<(typeof kernelParameters)[number], string>> = {}
  for (const [name, value] of searchParams) {
    const known = kernelParameters.find(parameter => parameter === name)
    if (known === undefined) throw invalid(uri, `the parameters ${kernelParameters.join(', ')}${didYouMean(name, kernelParameters)}`)
    if (value === '' || parameters[known] !== undefined) throw invalid(uri, `one value for ${name}`)
    if (known !== 'netns' && !value.startsWith('/')) throw invalid(uri, `an absolute path for ${name}`)
    parameters[known] = value
  }
  const signal = checkKernelOptions(options)
  signal?.throwIfAborted()
  const { connectKernel } = await import('./kernel/driver.ts')
  const connection = await connectKernel(uri, parameters)
  if (signal?.aborted !== true) return connection
  await connection.close()
  throw signal.reason
}

function checkKernelOptions(options: unknown): AbortSignal | undefined {
  if (typeof options !== 'object' || options === null) throw new InvalidArgumentError('options', options, 'an object')
  for (const [name, value] of Object.entries(options) as [string, unknown][]) {
    if (value === undefined) continue
    if (name !== 'signal') {
      const instead = name === 'netns' ? '; give the namespace in the URI: kernel:///system?netns=NAME' : ''
      throw new InvalidArgumentError(`options.${name}`, value, `no option but signal: ${name} is for libvirt's drivers${instead}`)
    }
    if (!(value instanceof AbortSignal)) throw new InvalidArgumentError('options.signal', value, 'an AbortSignal')
  }
  return (options as { signal?: AbortSignal }).signal
}

function checkUri(uri: unknown): asserts uri is string {
  if (typeof uri !== 'string' || !/^[a-z][a-z0-9+.-]*:[^\0]*$/i.test(uri)) throw invalid(uri, `a URI like qemu:///system or ${defaultUri}`)
}

function parseUri(uri: string): URL {
  try {
    return new URL(uri)
  } catch {
    throw invalid(uri, `a URI like ${defaultUri}`)
  }
}

function invalid(uri: unknown, accepted: string): InvalidArgumentError {
  return new InvalidArgumentError('uri', uri, accepted, 'ERR_INVALID_URI')
}
