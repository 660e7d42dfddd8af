/**
 * Events of networks, from whichever process does something. There is no daemon to tell of them: whoever has changed
 * something makes a file in `run/events`, named after what happened, and takes it away again; readers watch the folder by
 * inotify(7). Events are the same as libvirt's.
 */
import { watch } from 'node:fs'
import type { FSWatcher } from 'node:fs'
import { basename, join } from 'node:path'
import type { Step } from '../../binding/index.ts'
import { aString, anObject, anything, checkEach } from '../checks.ts'
import { SystemError, VirbrError } from '../errors.ts'
import type { NetworkEvent, WatchOptions } from '../network/connection.ts'
import { EventQueue } from '../events.ts'
import { closedError } from './state.ts'
import type { State } from './state.ts'

type LifecycleEvent = Extract<NetworkEvent, { name: string, type: 'defined' | 'undefined' | 'started' | 'stopped' }>

/** Tells whoever watches: the last steps of what they are told of, under the lock. */
export function eventSteps({ paths }: Pick<State, 'paths'>, type: LifecycleEvent['type'], { uuid, name }: { name: string, uuid: string }): Step[] {
  // 247 bytes at most, of the 255 that a name of a file may have.
  const path = join(paths.events, `${type}.${uuid}.${name}`)
  return [
    { op: 'writeFile', path, data: '', mode: 0o644, mayFail: true },
    { op: 'unlink', path, mayFail: true },
  ]
}

const eventFile = /^(defined|undefined|started|stopped)\.([\da-f-]{36})\.(.+)$/s

function eventOf(file: string): LifecycleEvent | undefined {
  const [, type, uuid, name] = eventFile.exec(file) ?? []
  return name === undefined ? undefined : { type, name, uuid } as LifecycleEvent
}

type Watch = EventQueue<NetworkEvent>

/**
 * Watches from the moment that it returns, and is one of `watches` as long as it does. Throws InvalidArgumentError; everything
 * else is the queue's failure.
 */
export function watchNetworks({ closed, paths }: State, options: WatchOptions, watches: Set<Watch>): Watch {
  checkEach('options', options, { network: aString, limit: anything, signal: anObject })
  const { network, limit, signal } = options
  let watcher: FSWatcher | undefined
  const queue: Watch = new EventQueue<NetworkEvent>({ limit, signal }, {
    onWait: () => watcher?.ref(),
    onIdle: () => watcher?.unref(),
    onEnd: () => {
      watcher?.close()
      watches.delete(queue)
    },
  })
  if (closed) queue.fail(closedError())
  if (queue.closed) return queue
  watches.add(queue)
  const isWanted = matcher(network)
  // Each file is seen twice: when it is made, and when it is taken away.
  const made = new Set<string>()
  try {
    watcher = watch(paths.events, { persistent: false }, (kind, file) => {
      if (kind !== 'rename' || file === null) return
      const event = eventOf(file)
      if (event === undefined) {
        if (file === basename(paths.events)) queue.fail(new VirbrError('ERR_STATE_DIR', `somebody removed ${paths.events}`))
      } else if (!made.delete(file)) {
        made.add(file)
        if (isWanted(event)) queue.push(event)
      }
    })
    watcher.on('error', error => { queue.fail(watchError(paths.events, error)) })
    queue.opened()
  } catch (error) {
    queue.fail(watchError(paths.events, error))
  }
  return queue
}

function matcher(network: string | undefined): (event: LifecycleEvent) => boolean {
  if (network === undefined) return () => true
  const plain = (uuid: string): string => uuid.replaceAll('-', '').toLowerCase()
  const wanted = plain(network)
  return ({ name, uuid }) => name === network || plain(uuid) === wanted
}

function watchError(path: string, error: unknown): VirbrError {
  const { errno = 0, syscall = 'inotify_add_watch' } = error as NodeJS.ErrnoException
  return new SystemError(Math.abs(errno), syscall, `watch ${path}`, 'ERR_STATE_DIR')
}
