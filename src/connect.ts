import { InvalidArgumentError, UnsupportedError, didYouMean } from './errors.ts'
import type { Connection } from './network/connection.ts'

const defaultUri = 'kernel:///system'
const kernelParameters = ['netns', 'root', 'dnsmasq'] as const

/**
 * Connects to a driver of networks.
 *
 * @param uri `kernel:///system`, with `?netns=` (name or path of a network namespace), `root=` (directory for state, default
 * /run/virbr and /etc/virbr) and `dnsmasq=` (path of the program). Default: `$VIRBR_URI`, else `kernel:///system`.
 *
 * What a killed process or a reboot has left half-done is repaired first. Rejects with ERR_INVALID_URI, ERR_NO_NETNS,
 * ERR_STATE_DIR (state cannot be written, or belongs to another namespace).
 */
export async function connect(uri: string = process.env.VIRBR_URI ?? defaultUri): Promise<Connection> {
  const parsed = parseUri(uri)
  if (parsed.protocol !== 'kernel:') {
    throw new UnsupportedError(`driver ${parsed.protocol}`, `${uri}: this version has the kernel driver only, ${defaultUri}`)
  }
  if (parsed.host !== '' || parsed.pathname !== '/system') throw invalid(uri, `${defaultUri}, with ?netns=, root= or dnsmasq=`)
  const options: Partial<Record<(typeof kernelParameters)[number], string>> = {}
  for (const [name, value] of parsed.searchParams) {
    const known = kernelParameters.find(parameter => parameter === name)
    if (known === undefined) throw invalid(uri, `the parameters ${kernelParameters.join(', ')}${didYouMean(name, kernelParameters)}`)
    if (value === '' || options[known] !== undefined) throw invalid(uri, `one value for ${name}`)
    if (known !== 'netns' && !value.startsWith('/')) throw invalid(uri, `an absolute path for ${name}`)
    options[known] = value
  }
  const { connectKernel } = await import('./kernel/driver.ts')
  return connectKernel(uri, options)
}

function parseUri(uri: unknown): URL {
  if (typeof uri === 'string' && /^[a-z][a-z0-9+.-]*:/i.test(uri)) {
    try {
      return new URL(uri)
    } catch {
      throw invalid(uri, `a URI like ${defaultUri}`)
    }
  }
  throw invalid(uri, `a URI like ${defaultUri}`)
}

function invalid(uri: unknown, accepted: string): InvalidArgumentError {
  return new InvalidArgumentError('uri', uri, accepted, 'ERR_INVALID_URI')
}
