/** Event sockets of a Host's namespace, opened; what the watches of rtnetlink and nf_tables share. */
import { constants } from 'node:os'
import type { NativeWatch, WatchStep } from '../../binding/index.ts'
import { InvalidArgumentError, SystemError, UnsupportedError } from '../errors.ts'
import { failure } from './channel.ts'
import type { Channel } from './channel.ts'

/** Throws InvalidArgumentError. */
export function checkReceiveBuffer(bytes: number | undefined): void {
  if (bytes === undefined || (Number.isInteger(bytes) && bytes >= 4096 && bytes < 2 ** 30)) return
  throw new InvalidArgumentError('receiveBuffer', bytes, 'bytes, 4,096 to a GiB')
}

/** Rejects with ERR_NO_PERMISSION; ERR_UNSUPPORTED if the kernel does not have one of the groups. */
export async function openEvents(
  channel: Channel, protocol: number, groups: readonly number[], receiveBuffer: number | undefined,
): Promise<NativeWatch> {
  const step: WatchStep = { op: 'watch', protocol, groups, ...(receiveBuffer === undefined ? {} : { receiveBuffer }) }
  const { results: [native], failed } = await channel.exec([step])
  if (failed === undefined) return native
  const { EPERM, EINVAL, EPROTONOSUPPORT } = constants.errno
  if (failed.errno === EPERM) throw new SystemError(failed.errno, failed.call, 'watch for changes', 'ERR_NO_PERMISSION')
  if (failed.errno === EPROTONOSUPPORT || (failed.errno === EINVAL && failed.call.includes('MEMBERSHIP'))) {
    throw new UnsupportedError('multicast group', 'this kernel does not tell of changes of all that is to be watched')
  }
  throw failure(step, failed)
}
