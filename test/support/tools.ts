import { accessSync, constants } from 'node:fs'

const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin']
  .filter(folder => folder !== '')

/** PATH with the sbin folders, which Debian leaves out for ordinary users. */
export const toolSearchPath = folders.join(':')

/** Absolute path of a command, or undefined. */
export function toolPath(name: string): string | undefined {
  return folders.map(folder => `${folder}/${name}`).find(path => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
