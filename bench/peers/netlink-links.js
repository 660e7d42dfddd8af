// The jobs of bench/jobs/rtnetlink.ts with the npm package netlink, in its namespace. Commands as of bench/floor/links.c.
import { createInterface } from 'node:readline'
import netlink from 'netlink'

const { createRtNetlink } = netlink
const socket = createRtNetlink()
const group = 0x5eed5eed
const IFF_UP = 1
/** NLM_F_CREATE | NLM_F_EXCL. */
const createFlags = 0x600

/** The package has no attributes of kinds: bytes. */
const attribute = (type, ...parts) => {
  const data = Buffer.concat(parts)
  const header = Buffer.alloc(4)
  header.writeUInt16LE(4 + data.length)
  header.writeUInt16LE(type, 2)
  return Buffer.concat([header, data, Buffer.alloc(-data.length & 3)])
}
const text = value => Buffer.from(`${value}\0`)
const one = Buffer.from([1, 0, 0, 0])

const vethInfo = peer => Buffer.concat([
  attribute(1, Buffer.from('veth')),
  attribute(2, attribute(1, Buffer.alloc(16), attribute(3, text(peer)), attribute(31, one), attribute(32, one))),
])
const up = { flags: IFF_UP, change: IFF_UP }

async function indexOf(name) {
  const [link] = await socket.getLink({}, { ifname: name })
  return link.data.index
}

async function create(count) {
  const bridges = []
  for (let i = 0; i < count; i += 1000) bridges.push(await indexOf(i === 0 ? 'fbr' : `fbr${i / 1000}`))
  for (let i = 0; i < count; i++) {
    await socket.newLink({}, { ifname: `fv${i}`, numTxQueues: 1, numRxQueues: 1, linkinfo: vethInfo(`fq${i}`) }, { flags: createFlags })
  }
  for (let i = 0; i < count; i++) await socket.setLink(up, { ifname: `fv${i}`, master: bridges[Math.floor(i / 1000)] })
  for (let i = 0; i < count; i++) await socket.setLink(up, { ifname: `fq${i}` })
}

async function remove(count) {
  for (let i = 0; i < count; i++) await socket.setLink({}, { ifname: `fv${i}`, group })
  await socket.delLink({}, { group })
}

async function routes(count, port, call, options) {
  for (let i = 0; i < count; i++) {
    const dst = Buffer.from([10, i >> 16, i >> 8 & 255, i & 255])
    await socket[call]({ family: 2, dstLen: 32, table: 254, protocol: 4, scope: 253, type: 1 }, { dst, oif: port }, options)
  }
}

const commands = {
  create: (_, count) => create(Number(count)),
  delete: count => remove(Number(count)),
  routes: (count, port) => routes(Number(count), port, 'newRoute', { flags: createFlags }),
  list: () => socket.getLinks(),
}

for await (const line of createInterface(process.stdin)) {
  const [command, ...rest] = line.split(' ')
  const port = command === 'routes' ? await indexOf('fp0') : undefined
  const start = process.hrtime.bigint()
  await commands[command](...rest, ...(port === undefined ? [] : [port]))
  const us = Number(process.hrtime.bigint() - start) / 1000
  if (command === 'routes') await routes(Number(rest[0]), port, 'delRoute')
  console.log(JSON.stringify({ us }))
}
process.exit(0)
