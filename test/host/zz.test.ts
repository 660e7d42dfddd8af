import { test } from 'vitest'
import { Host } from '../../src/host/host.ts'
test('x', async () => {
 const h = await Host.open({netns:{create:true}}) as any
 for (const switches of [{ mdbOffloadFailNotification: true }, { mdbOffloadFailNotification: false }, { mst: true }]) await h.links.create({ name: 'b', kind: 'bridge', bridge: { switches } }).then((l: any) => { console.log('##', switches, l.bridge.switches); return h.links.delete('b') }, (e: any) => console.log('##', switches, e.code, e.message, e.kernelMessage))
 await h.close() })
