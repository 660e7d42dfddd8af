/** What a reader of `host.watch` knows of a namespace, and what `ip` shows of it, in the same form. */
import type { Watch, WatchEvent } from '../../src/host/watch.ts'
import type { Route } from '../../src/rtnetlink/route-records.ts'
import { ipJson } from '../support/lab.ts'
import type { Json, LabNetns } from '../support/lab.ts'

const routeKey = ({ family, table, to, metric }: Route): string => `${family} ${table} ${to} ${metric ?? 0}`

/** The kernel gives links these by itself, when it has the time. */
const isOwn = (address: string): boolean => address.includes(' fe80:')

/** Takes events as a caller would, and complains of an order that cannot be. */
export class Model {
  readonly links = new Map<number, string>()
  readonly addresses = new Set<string>()
  readonly routes = new Map<string, string>()
  ready = false
  overruns = 0

  apply(event: WatchEvent): void {
    switch (event.type) {
      case 'overrun':
        this.overruns++
        this.ready = false
        this.links.clear()
        this.addresses.clear()
        this.routes.clear()
        return
      case 'ready':
        if (this.ready) throw new Error('ready twice')
        this.ready = true
        return
      default:
    }
    if ((event.change === 'present') === this.ready) throw new Error(`${event.type} ${event.change} ${this.ready ? 'after' : 'before'} ready`)
    const gone = event.change === 'delete'
    if (event.type === 'link') {
      const { index, name, mtu, alias, master, up } = event.link
      if (gone) this.links.delete(index)
      else this.links.set(index, [name, mtu, alias ?? '', master ?? 0, up].join(' '))
    } else if (event.type === 'address') {
      const key = `${event.address.index} ${event.address.address}`
      if (isOwn(key)) return
      if (event.change === 'present' && this.addresses.has(key)) throw new Error(`${key} twice`)
      if (gone) this.addresses.delete(key)
      else this.addresses.add(key)
    } else if (event.type === 'route') {
      const key = routeKey(event.route)
      if (gone) this.routes.delete(key)
      else this.routes.set(key, `${event.route.via ?? ''} ${event.route.index ?? 0}`)
    }
  }

  /** Reads until something is true. */
  async read(watch: Watch, until: () => boolean, slow?: () => Promise<unknown>): Promise<void> {
    while (!until()) {
      const { done, value } = await watch.next()
      if (done === true) throw new Error('the watch has ended')
      this.apply(value)
      await slow?.()
    }
  }

  sorted(): Record<string, string[]> {
    return {
      links: [...this.links].map(([index, text]) => `${index} ${text}`).sort(),
      addresses: [...this.addresses].sort(),
      routes: [...this.routes].map(([key, text]) => `${key}: ${text}`).sort(),
    }
  }
}

const number = (value: unknown): number => Number(value ?? 0)

/** The same as ip tells it: links, addresses, and the routes of table 100. */
export async function shownByIp(netns: LabNetns): Promise<Record<string, string[]>> {
  const links = await ipJson<(Json & { flags: string[], addr_info: Json[] })[]>(netns, 'address')
  const indexOf = new Map(links.map(link => [link['ifname'], number(link['ifindex'])]))
  const routes = await Promise.all(([4, 6] as const).map(async family =>
    (await ipJson(netns, `-${family}`, 'route', 'show', 'table', '100').catch(() => [] as Json[])).map(route => {
      const to = String(route['dst'])
      const full = to === 'default' || to.includes('/') ? to : `${to}/${family === 4 ? 32 : 128}`
      return `${family} 100 ${full} ${number(route['metric'])}: ${String(route['gateway'] ?? '')} ${indexOf.get(route['dev']) ?? 0}`
    })))
  return {
    links: links.map(link => [
      link['ifindex'], link['ifname'], link['mtu'], link['ifalias'] ?? '', indexOf.get(link['master']) ?? 0, link.flags.includes('UP'),
    ].join(' ')).sort(),
    addresses: links.flatMap(link => link.addr_info.map(({ local, prefixlen }) =>
      `${String(link['ifindex'])} ${String(local)}/${String(prefixlen)}`)).filter(key => !isOwn(key)).sort(),
    routes: routes.flat().sort(),
  }
}
