/** Constants of rtnetlink, named as in the kernel headers and checked against them by test/netlink/constants.test.ts. */
export * from './constants/address.ts'
export * from './constants/bridge.ts'
export * from './constants/link.ts'
export * from './constants/messages.ts'
export * from './constants/route.ts'
